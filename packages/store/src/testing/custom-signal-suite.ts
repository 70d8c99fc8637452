import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReadSignals } from "@runtara/store";
import { sentId } from "./batch-suite.ts";
import { type CreateHarness, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeCustomSignals(createHarness: CreateHarness): void {
  describe("custom signals", () => {
    const t = useStore(createHarness);
    const slot = (name: string, payload: string, instanceId = "i") =>
      t.send(instanceId, name, payload, { queued: false });
    const taken = async (checkpointId: string) => {
      const result = await t.poll("i", checkpointId);
      assert.ok(result.outcome === "polled");
      return result.custom === undefined ? undefined : new TextDecoder().decode(result.custom.payload);
    };

    test("I6: one in a slot is gone with the transaction that answers it, by poll or by checkpoint", async () => {
      await t.register("i");
      await slot("a", "1");
      await slot("a", "2");
      await t.run({ kind: "sendCustomSignal", instanceId: "i", name: "b", queued: false, nowMs: 1 });
      await slot("", "empty id");
      same(await t.poll("i"), { outcome: "polled" });
      same(await taken("c"), undefined);
      same(await taken("a"), "2", "what waited in the slot was replaced");
      same(await taken("a"), undefined);
      const saved = await t.save("i", "b", "x");
      assert.ok(saved.outcome === "saved");
      same(saved.custom, { checkpointId: "b", payload: bytes("") });
      const found = await t.save("i", "b", "x");
      assert.ok(found.outcome === "found" && found.custom === undefined);
      same(await taken(""), "empty id");
      await t.reopen();
      for (const id of ["a", "b", ""]) same(await taken(id), undefined);
    });

    test("found checkpoints take it, too; refused and fenced ones take nothing", async () => {
      await t.register("i");
      await t.save("i", "a", "x");
      await slot("a", "1");
      const found = await t.save("i", "a", "x");
      assert.ok(found.outcome === "found");
      same(found.custom, { checkpointId: "a", payload: bytes("1") });
      await slot("a", "2");
      same((await t.save("i", "a", "x", { epoch: 9 })).outcome, "fenced");
      const poll = { kind: "pollSignals", instanceId: "i", checkpointId: "a", nowMs: 1 } as const;
      same((await t.run({ ...poll, epoch: 9 })).outcome, "fenced");
      await t.event("i", "suspended");
      same((await t.save("i", "a", "x")).outcome, "refused");
      same(await taken("a"), "2");
    });

    test("a slot takes signals in any status, a queue not in a final one", async () => {
      same(await slot("a", "x"), { outcome: "unknownInstance" });
      await t.start("i");
      await slot("a", "kept");
      same((await t.save("i", "a", "x")).outcome, "refused");
      await t.event("i", "completed");
      same((await slot("b", "late")).outcome, "sent");
      same(await t.send("i", "c", "late"), { outcome: "refused", status: "completed" });
      same([await taken("a"), await taken("b"), await taken("c")], ["kept", "late", undefined]);
    });

    test("the base protocol takes the older one of slot and queue, and queued ones in their order", async () => {
      await t.register("i");
      await t.send("i", "n", "queued 1");
      await slot("n", "slot");
      await t.send("i", "n", "queued 2");
      same(
        [await taken("n"), await taken("n"), await taken("n"), await taken("n")],
        ["queued 1", "slot", "queued 2", undefined],
      );
      await slot("m", "old");
      await t.send("i", "m", "queued");
      await slot("m", "new");
      const saved = await t.save("i", "m", "x");
      assert.ok(saved.outcome === "saved" && saved.custom !== undefined);
      same(saved.custom.payload, bytes("queued"), "the replaced slot is younger");
      same(await taken("m"), "new");
    });

    test("a second one with the same message id is a duplicate, also when the first is consumed", async () => {
      await t.register("i");
      await t.register("other");
      const first = await sentId(t.send("i", "n", "1", { messageId: "m" }));
      same(await t.send("i", "another name", "2", { messageId: "m" }), { outcome: "duplicate", signalId: first });
      same(await taken("n"), "1");
      same(await t.send("i", "n", "3", { messageId: "m" }), { outcome: "duplicate", signalId: first });
      same((await t.send("other", "n", "1", { messageId: "m" })).outcome, "sent");
      same([await taken("n"), await taken("another name")], [undefined, undefined]);
      await t.event("i", "completed");
      same(await t.send("i", "n", "4", { messageId: "m" }), { outcome: "duplicate", signalId: first });
      same(await t.send("i", "n", "4", { messageId: "new" }), { outcome: "refused", status: "completed" });
    });

    test("of concurrent equal ones through two openings one is sent", async () => {
      await t.register("i");
      const other = await t.open();
      const send = { kind: "sendCustomSignal", instanceId: "i", name: "n", queued: true, messageId: "m" } as const;
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? t.store : other).run({ ...send, nowMs: n })),
      );
      const outcomes = results.map(({ outcome }) => outcome).toSorted();
      assert.deepEqual(outcomes, [...Array.from({ length: 19 }, () => "duplicate"), "sent"]);
      const ids = results.map((result) => ("signalId" in result ? result.signalId : 0));
      assert.equal(new Set(ids).size, 1);
    });

    test("I9: another tenant's instance does not exist", async () => {
      await t.register("i");
      same(await t.send("i", "n", "x", { tenantId: "other" }), { outcome: "unknownInstance" });
      same((await t.send("i", "n", "x", { tenantId: "t" })).outcome, "sent");
    });

    test("ids of one instance grow in the order of sending, slots and queue alike", async () => {
      await t.register("i");
      const ids: number[] = [];
      for (const queued of [true, false, true, false, true]) ids.push(await sentId(t.send("i", "n", "x", { queued })));
      assert.deepEqual(
        ids,
        [...new Set(ids)].toSorted((a, b) => a - b),
      );
    });
  });

  describe("what has arrived", () => {
    const t = useStore(createHarness);
    const interest = (more: Partial<ReadSignals["interests"][number]> = {}) => ({
      instanceId: "i",
      epoch: 1,
      names: ["n"],
      afterSignalId: 0,
      ...more,
    });
    const read = (interests: ReadSignals["interests"], bytesMax = 1_000_000) =>
      t.run({ kind: "readSignals", interests, bytesMax });
    const arrived = (more: object) => ({
      more: false,
      instances: [{ instanceId: "i", fenced: false, signal: undefined, queued: [], ...more }],
    });
    const nothing = { more: false, instances: [] };

    test("consumes nothing; only names asked for, only behind the id", async () => {
      await t.register("i");
      same(await read([interest()]), nothing);
      const first = await sentId(t.send("i", "n", "1"));
      const second = await sentId(t.send("i", "n", "2", { queued: false, nowMs: 4 }));
      await t.send("i", "other", "3");
      const queued = [
        { signalId: first, name: "n", payload: bytes("1"), createdAtMs: 1 },
        { signalId: second, name: "n", payload: bytes("2"), createdAtMs: 4 },
      ];
      for (let n = 0; n < 2; n += 1) same(await read([interest()]), arrived({ queued }));
      same(await read([interest({ afterSignalId: first })]), arrived({ queued: [queued[1]] }));
      same(await read([interest({ afterSignalId: second })]), nothing);
      same(await read([interest({ names: [] })]), nothing);
    });

    test("the unacknowledged signal is told if it is another than the one seen", async () => {
      await t.register("i");
      await t.signal("i", "pause", { payload: bytes("p") });
      const signal = { type: "pause", payload: bytes("p") };
      same(await read([interest()]), arrived({ signal }));
      same(await read([interest({ seenSignal: "pause" })]), nothing);
      same(await read([interest({ seenSignal: "cancel" })]), arrived({ signal }));
      await t.run({ kind: "acknowledgeSignal", instanceId: "i", signal: "pause", nowMs: 2 });
      same(await read([interest()]), nothing);
    });

    test("I5: fenced, unknown and ended ones are named", async () => {
      const fenced = (instanceId: string) => ({ instanceId, fenced: true, signal: undefined, queued: [] });
      await t.register("again");
      await t.register("again");
      await t.register("ended");
      await t.event("ended", "completed");
      await t.register("good");
      const interests = ["unknown", "again", "ended", "good"].map((instanceId) => interest({ instanceId }));
      const { instances } = await read(interests);
      same(
        instances.toSorted((a, b) => (a.instanceId < b.instanceId ? -1 : 1)),
        [fenced("again"), fenced("ended"), fenced("unknown")],
      );
    });

    test("of one instance at most a hundred, oldest first; the rest comes behind their ids", async () => {
      await t.register("i");
      const ids: number[] = [];
      for (let n = 0; n < 105; n += 1) ids.push(await sentId(t.send("i", "n", `${n}`)));
      const page = async (afterSignalId: number) =>
        (await read([interest({ afterSignalId })])).instances.flatMap(({ queued }) =>
          queued.map((one) => one.signalId),
        );
      const first = await page(0);
      same(first, ids.slice(0, 100));
      same(await page(first.at(-1) ?? 0), ids.slice(100));
    });

    test("a fenced one before it does not keep out the first that has something, however large that is", async () => {
      await t.register("i");
      const signalId = await sentId(t.send("i", "n", "12345"));
      same(await read([interest({ instanceId: "unknown" }), interest()], 4), {
        more: false,
        instances: [
          { instanceId: "unknown", fenced: true, queued: [] },
          {
            instanceId: "i",
            fenced: false,
            queued: [{ signalId, name: "n", payload: bytes("12345"), createdAtMs: 1 }],
          },
        ],
      });
    });

    test("an answer ends after its bytes but has something if there is anything, and calls reach everything", async () => {
      const ids = ["i", "j", "k"];
      for (const id of ids) {
        await t.register(id);
        for (const payload of ["12345", "67890"]) await t.send(id, "n", payload);
      }
      const after = new Map(ids.map((id) => [id, 0]));
      const seen: string[] = [];
      for (let calls = 0; ; calls += 1) {
        assert.ok(calls < 10, "every call brings something");
        const interests = ids.map((id) => interest({ instanceId: id, afterSignalId: after.get(id) ?? 0 }));
        const { instances, more } = await read(interests, 4);
        if (instances.length === 0) {
          assert.equal(more, false);
          break;
        }
        for (const { instanceId, queued } of instances) {
          for (const { payload } of queued) seen.push(`${instanceId}${new TextDecoder().decode(payload)}`);
          after.set(instanceId, queued.at(-1)?.signalId ?? 0);
        }
      }
      assert.deepEqual(
        seen.toSorted(),
        ids.flatMap((id) => [`${id}12345`, `${id}67890`]),
      );
    });
  });
}
