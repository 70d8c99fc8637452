import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OutgoingMessage, SaveBatch } from "@runtara/store";
import { type CreateHarness, type More, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeBatches(createHarness: CreateHarness): void {
  describe("checkpoint batches", () => {
    const t = useStore(createHarness);
    const batch = (
      entries: readonly (readonly [id: string, state: string, consumes?: number])[],
      more: More<SaveBatch> = {},
    ) =>
      t.run({
        kind: "saveBatch",
        instanceId: "i",
        epoch: 1,
        entries: entries.map(([checkpointId, state, consumesSignalId]) => ({
          checkpointId,
          state: bytes(state),
          ...(consumesSignalId === undefined ? {} : { consumesSignalId }),
        })),
        messages: [],
        nowMs: 2,
        ...more,
      });
    const saved = (...states: (string | undefined)[]) => ({
      outcome: "saved",
      entries: states.map((state) => ({ state: state === undefined ? undefined : bytes(state) })),
      signal: undefined,
    });
    const published = async () => {
      const result = await t.run({ kind: "readPublished", instanceId: "i" });
      assert.ok(result.outcome === "found");
      return Object.fromEntries(result.values.map(({ key, value }) => [key, new TextDecoder().decode(value)]));
    };

    test("each entry is saved or found as by itself, in this order, which later listings keep", async () => {
      await t.register("i");
      await t.save("i", "b", "first");
      same(
        await batch([
          ["z", "1"],
          ["b", "2"],
          ["a", "3"],
        ]),
        saved(undefined, "first", undefined),
      );
      const listed = await t.run({ kind: "listCheckpoints", instanceId: "i", limit: 10 });
      assert.ok(listed.outcome === "page");
      same(
        listed.checkpoints.map(({ checkpointId }) => checkpointId),
        ["a", "z", "b"],
      );
      const { checkpointId, checkpointCount, lastSeenAtMs } = await t.read("i");
      same([checkpointId, checkpointCount], ["a", 3]);
      assert.ok(lastSeenAtMs !== null);
      same(await t.load("i", "z"), { outcome: "found", state: bytes("1"), createdAtMs: 2 });
    });

    test("an empty batch is saved; a found state of no bytes is told from a saved one", async () => {
      await t.register("i");
      same(await batch([]), saved());
      same(await batch([["a", ""]]), saved(undefined));
      same(await batch([["a", "x"]]), saved(""));
    });

    test("refused as a whole: unknown, fenced, not running, in this order", async () => {
      same(await batch([["a", "1"]]), { outcome: "unknownInstance" });
      await t.register("i");
      await t.event("i", "suspended");
      same(await batch([["a", "1"]], { epoch: 2 }), { outcome: "fenced", epoch: 1 });
      same(await batch([["a", "1"]]), { outcome: "refused", status: "suspended" });
      const messages = [event(1, "m")];
      same(await batch([], { messages, beginsRun: 2 }), { outcome: "refused", status: "suspended" });
      same(await t.load("i", "a"), { outcome: "missing" });
      same((await t.read("i")).run, 1);
    });

    test("the unacknowledged signal is told and stays; ids of entries take no custom signals", async () => {
      await t.register("i");
      await t.signal("i", "pause", { payload: bytes("p") });
      await t.send("i", "a", "slot", { queued: false });
      const result = await batch([["a", "1"]]);
      assert.ok(result.outcome === "saved");
      same(result.signal, { type: "pause", payload: bytes("p") });
      const polled = await t.poll("i", "a");
      assert.ok(polled.outcome === "polled");
      same(polled.signal?.type, "pause");
      same(polled.custom, { checkpointId: "a", payload: bytes("slot") });
    });

    test("I6: a signal is gone with the entry that records it, from queue and slot alike", async () => {
      await t.register("i");
      const queued = await sentId(t.send("i", "n", "queued"));
      const slot = await sentId(t.send("i", "n", "slot", { queued: false }));
      same(await batch([["a", "1", queued]]), saved(undefined));
      same(await waiting("n"), [slot]);
      same(await batch([["b", "1", slot]]), saved(undefined));
      same(await waiting("n"), []);
      const polled = await t.poll("i", "n");
      assert.ok(polled.outcome === "polled" && polled.custom === undefined);
    });

    test("a found entry consumes nothing; a signal that is gone is no obstacle", async () => {
      await t.register("i");
      await t.save("i", "a", "x");
      const id = await sentId(t.send("i", "n", "1"));
      same(await batch([["a", "y", id]]), saved("x"));
      same(await waiting("n"), [id]);
      same(
        await batch([
          ["b", "1", id],
          ["c", "2", id],
          ["d", "3", id + 1_000],
        ]),
        saved(undefined, undefined, undefined),
      );
      same(await waiting("n"), []);
    });

    test("a slot that was replaced is not consumed by its old id", async () => {
      await t.register("i");
      const old = await sentId(t.send("i", "n", "old", { queued: false }));
      const present = await sentId(t.send("i", "n", "new", { queued: false }));
      assert.ok(present > old);
      await batch([["a", "1", old]]);
      same(await waiting("n"), [present]);
    });

    test("another instance's signal is not consumed", async () => {
      await t.register("i");
      await t.register("other");
      const id = await sentId(t.send("other", "n", "1"));
      await batch([["a", "1", id]]);
      same(await waiting("n", "other"), [id]);
    });

    test("messages go out once: numbers not above the highest are passed over", async () => {
      await t.register("i");
      await batch([["a", "1"]], { messages: [value(1, "k", "one"), event(2, "e", 77)] });
      same(await published(), { k: "one" });
      await batch([["b", "1"]], { messages: [value(1, "k", "again"), event(2, "e"), value(3, "l", "three")] });
      same(await published(), { k: "one", l: "three" });
      same(
        (await t.events("i")).map(({ type, subtype, createdAtMs, receivedAtMs }) => [
          type,
          subtype,
          createdAtMs,
          receivedAtMs,
        ]),
        [
          ["started", null, 1, 1],
          ["custom", "e", 77, 2],
        ],
      );
    });

    test("of one key in one batch the last value stays", async () => {
      await t.register("i");
      await batch([], { messages: [value(1, "k", "one"), value(2, "k", "two"), value(3, "l", "x")] });
      same(await published(), { k: "two", l: "x" });
    });

    test("a batch begins the next run after its messages, and their numbers begin again", async () => {
      await t.register("i");
      same(await batch([["a", "1"]], { beginsRun: 3 }), { outcome: "runMismatch", run: 1 });
      same(await t.load("i", "a"), { outcome: "missing" });
      same(await batch([["a", "1"]], { beginsRun: 1 }), { outcome: "runMismatch", run: 1 });
      await batch([["a", "1"]], { beginsRun: 2, messages: [value(1, "k", "first run")] });
      same((await t.read("i")).run, 2);
      await batch([["b", "1"]], { messages: [value(1, "k", "second run")] });
      same(await published(), { k: "second run" });
    });

    test("a repetition of the batch that began its run is answered as before, and its messages are passed over", async () => {
      await t.register("i");
      const begins = { beginsRun: 2, messages: [value(1, "k", "first run")] };
      same(await batch([["a", "1"]], begins), saved(undefined));
      await batch([["b", "1"]], { messages: [value(1, "k", "second run")] });
      same(await batch([["a", "1"]], begins), saved("1"));
      same(await published(), { k: "second run" });
      same((await t.read("i")).run, 2);
      same(await batch([["c", "1"]], { beginsRun: 2 }), { outcome: "runMismatch", run: 2 }, "not all were found");
      same(await t.load("i", "c"), { outcome: "missing" });
    });

    test("a refused batch sends no message and consumes nothing", async () => {
      await t.register("i");
      const id = await sentId(t.send("i", "n", "1"));
      same(await batch([["a", "1", id]], { epoch: 9, messages: [value(1, "k", "x")] }), {
        outcome: "fenced",
        epoch: 1,
      });
      same(await batch([["a", "1", id]], { beginsRun: 7, messages: [value(1, "k", "x")] }), {
        outcome: "runMismatch",
        run: 1,
      });
      same(await published(), {});
      same(await waiting("n"), [id]);
    });

    test("I2: of concurrent batches with the same ids each id is saved by one only", async () => {
      await t.register("i");
      const other = await t.open();
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          (n % 2 === 0 ? t.store : other).run({
            kind: "saveBatch",
            instanceId: "i",
            epoch: 1,
            entries: ["a", "b"].map((checkpointId) => ({ checkpointId, state: bytes(`${n}`) })),
            messages: [],
            nowMs: 1,
          }),
        ),
      );
      const winners = results.map((result) => result.outcome === "saved" && result.entries[0]?.state === undefined);
      assert.equal(winners.filter(Boolean).length, 1);
      const winner = `${winners.indexOf(true)}`;
      same(
        results,
        winners.map((won) => (won ? saved(undefined, undefined) : saved(winner, winner))),
      );
    });

    async function waiting(name: string, instanceId = "i"): Promise<number[]> {
      const interests = [{ instanceId, epoch: 1, names: [name], afterSignalId: 0 }];
      const { instances } = await t.run({ kind: "readSignals", interests, bytesMax: 1_000 });
      return instances.flatMap(({ queued }) => queued.map(({ signalId }) => signalId));
    }
  });
}

export async function sentId(sending: Promise<{ outcome: string }>): Promise<number> {
  const result = await sending;
  assert.ok(result.outcome === "sent" && "signalId" in result && typeof result.signalId === "number");
  return result.signalId;
}

export function value(number: number, key: string, content: string): OutgoingMessage {
  return { number, content: { kind: "published", key, value: bytes(content) } };
}

export function event(number: number, subtype: string, createdAtMs = 5): OutgoingMessage {
  return { number, content: { kind: "event", subtype, payload: bytes("payload"), createdAtMs } };
}
