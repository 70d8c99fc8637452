import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HistoryEntry, ReadChanges } from "@runtara/store";
import { value } from "./batch-suite.ts";
import { type CreateHarness, type More, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeHistory(createHarness: CreateHarness): void {
  describe("history", () => {
    const t = useStore(createHarness);
    const brief = (entries: readonly HistoryEntry[]) =>
      entries.map((entry) => `${entry.atMs} ${entry.kind} ${nameOf(entry)}`);

    test("oldest first by the server's time, of equal times checkpoints, events, retries, signals", async () => {
      await t.register("i", { nowMs: 10 });
      await t.signal("i", "pause", { nowMs: 20, payload: bytes("p") });
      await t.run({ kind: "recordRetry", instanceId: "i", checkpointId: "r", attempt: 3, nextAtMs: 5, nowMs: 20 });
      await t.event("i", "custom", { subtype: "s", payload: bytes("e"), createdAtMs: 1, nowMs: 20 });
      await t.save("i", "a", "xyz", { nowMs: 20 });
      await t.send("i", "n", "q", { nowMs: 30 });
      same(await t.history("i"), [
        { kind: "event", atMs: 10, type: "started", subtype: null, checkpointId: null, payload: null },
        { kind: "checkpoint", atMs: 20, checkpointId: "a", state: bytes("xyz"), stateBytes: 3 },
        { kind: "event", atMs: 20, type: "custom", subtype: "s", checkpointId: null, payload: bytes("e") },
        { kind: "retry", atMs: 20, checkpointId: "r", attempt: 3, nextAtMs: 5, error: null },
        { kind: "signal", atMs: 20, type: "pause", name: null, payload: bytes("p"), delivered: false },
        { kind: "signal", atMs: 30, type: null, name: "n", payload: bytes("q"), delivered: false },
      ]);
    });

    test("signals are shown delivered once they are acknowledged or consumed", async () => {
      await t.register("i");
      await t.signal("i", "pause");
      await t.run({ kind: "acknowledgeSignal", instanceId: "i", signal: "pause", nowMs: 2 });
      const sent = await t.send("i", "n", "q", { nowMs: 3 });
      assert.ok(sent.outcome === "sent");
      const entries = [{ checkpointId: "a", state: bytes(""), consumesSignalId: sent.signalId }];
      await t.run({ kind: "saveBatch", instanceId: "i", epoch: 1, entries, messages: [], nowMs: 4 });
      await t.signal("i", "resume", { nowMs: 5 });
      same(
        (await t.history("i")).flatMap((entry) => (entry.kind === "signal" ? [[nameOf(entry), entry.delivered]] : [])),
        [
          ["pause", true],
          ["n", true],
          ["resume", false],
        ],
      );
    });

    test("states and payloads over the bound are left out; empty and absent payloads differ", async () => {
      await t.register("i");
      await t.save("i", "a", "12345", { nowMs: 2 });
      await t.event("i", "custom", { payload: bytes("12345"), nowMs: 3 });
      await t.event("i", "custom", { payload: bytes(""), nowMs: 4 });
      const page = await t.run({ kind: "listHistory", instanceId: "i", limit: 9, bytesMax: 4 });
      assert.ok(page.outcome === "page");
      same(page.entries.slice(1), [
        { kind: "checkpoint", atMs: 2, checkpointId: "a", stateBytes: 5 },
        { kind: "event", atMs: 3, type: "custom", subtype: null, checkpointId: null },
        { kind: "event", atMs: 4, type: "custom", subtype: null, checkpointId: null, payload: bytes("") },
      ]);
    });

    test("pages show everything once while more is written", async () => {
      await t.register("i", { nowMs: 1 });
      for (let n = 0; n < 6; n += 1) {
        await t.save("i", `c${n}`, "x", { nowMs: 10 + n });
        await t.event("i", "custom", { subtype: `e${n}`, nowMs: 10 + n });
        await t.send("i", `s${n}`, "x", { nowMs: 10 + n });
      }
      const expected = brief(await t.history("i"));
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let pages = 0; ; pages += 1) {
        assert.ok(pages < 20);
        const more = cursor === undefined ? {} : { cursor };
        const page = await t.run({ kind: "listHistory", instanceId: "i", limit: 4, bytesMax: 9, ...more });
        assert.ok(page.outcome === "page");
        seen.push(...brief(page.entries));
        cursor = page.nextCursor;
        if (cursor === undefined) break;
        if (pages === 1) {
          await t.save("i", "late", "x", { nowMs: 100 });
          expected.push("100 checkpoint late");
        }
      }
      same(seen, expected);
      const skipping = await t.run({ kind: "listHistory", instanceId: "i", limit: 3, offset: 2, bytesMax: 9 });
      assert.ok(skipping.outcome === "page");
      same(brief(skipping.entries), expected.slice(2, 5));
      assert.ok(skipping.nextCursor !== undefined);
      const next = await t.run({
        kind: "listHistory",
        instanceId: "i",
        limit: 3,
        cursor: skipping.nextCursor,
        bytesMax: 9,
      });
      assert.ok(next.outcome === "page");
      same(brief(next.entries), expected.slice(5, 8));
    });

    test("I9: unknown and other tenants' instances", async () => {
      const list = { kind: "listHistory", instanceId: "i", limit: 4, bytesMax: 9 } as const;
      same(await t.run(list), { outcome: "unknownInstance" });
      await t.register("i");
      same(await t.run({ ...list, tenantId: "u" }), { outcome: "unknownInstance" });
    });
  });

  describe("changes", () => {
    const t = useStore(createHarness);
    const read = async (more: More<ReadChanges> = {}) => {
      const result = await t.run({ kind: "readChanges", instanceId: "i", limit: 100, bytesMax: 1_000, ...more });
      assert.ok(result.outcome === "changes");
      return result;
    };

    test("without a cursor the details alone; then nothing until something happens", async () => {
      await t.register("i");
      await t.save("i", "a", "x");
      const first = await read();
      same([first.entries, first.published, first.ended], [[], [], false]);
      same(first.details?.status, "running");
      const second = await read({ cursor: first.nextCursor });
      same([second.entries, second.published, second.details], [[], [], undefined]);
      await t.save("i", "b", "y", { nowMs: 7 });
      const third = await read({ cursor: second.nextCursor });
      same(third.entries, [{ kind: "checkpoint", atMs: 7, checkpointId: "b", state: bytes("y"), stateBytes: 1 }]);
      same((await read({ cursor: third.nextCursor })).entries, []);
    });

    test("a change of what details show brings the details as they are now", async () => {
      await t.register("i");
      const { nextCursor: cursor } = await read();
      await t.suspend("i", { untilMs: 100, nowMs: 5 });
      const changed = await read({ cursor });
      same(
        [changed.details?.status, changed.details?.reason, changed.details?.readyAtMs],
        ["suspended", "sleeping", 100],
      );
      same(
        changed.entries.map((entry) => entry.kind),
        ["event"],
      );
      same((await read({ cursor: changed.nextCursor })).details, undefined);
    });

    test("published values come once, the last of each key", async () => {
      await t.register("i");
      const { nextCursor: cursor } = await read();
      const publish = { kind: "publish", instanceId: "i", epoch: 1, run: 1 } as const;
      await t.run({ ...publish, messages: [value(1, "k", "1"), value(2, "l", "2")], nowMs: 3 });
      await t.run({ ...publish, messages: [value(3, "k", "3")], nowMs: 4 });
      const changed = await read({ cursor });
      same(changed.published, [
        { key: "k", value: bytes("3"), updatedAtMs: 4 },
        { key: "l", value: bytes("2"), updatedAtMs: 3 },
      ]);
      same((await read({ cursor: changed.nextCursor })).published, []);
      await t.run({ ...publish, messages: [value(4, "l", "4")], nowMs: 5 });
      same((await read({ cursor: changed.nextCursor })).published, [{ key: "l", value: bytes("4"), updatedAtMs: 5 }]);
    });

    test("at most the limit of entries; the rest comes with the next calls, and the end last", async () => {
      await t.register("i");
      let { nextCursor: cursor } = await read();
      for (let n = 0; n < 5; n += 1) await t.save("i", `c${n}`, "x", { nowMs: 10 + n });
      await t.event("i", "completed", { nowMs: 20 });
      const seen: string[] = [];
      for (let calls = 0; ; calls += 1) {
        assert.ok(calls < 9);
        const changed = await read({ cursor, limit: 2 });
        assert.ok(changed.entries.length <= 2);
        seen.push(...changed.entries.map(nameOf));
        cursor = changed.nextCursor;
        if (changed.ended) break;
      }
      same(seen, ["c0", "c1", "c2", "c3", "c4", "completed"]);
      same((await read()).ended, true);
      same((await read({ cursor })).ended, true);
    });

    test("I9: unknown and other tenants' instances", async () => {
      const changes = { kind: "readChanges", instanceId: "i", limit: 4, bytesMax: 9 } as const;
      same(await t.run(changes), { outcome: "unknownInstance" });
      await t.register("i");
      same(await t.run({ ...changes, tenantId: "u" }), { outcome: "unknownInstance" });
    });

    test("a cursor holds through opening the database again", async () => {
      await t.register("i");
      const { nextCursor: cursor } = await read();
      await t.save("i", "a", "x");
      await t.reopen();
      same((await read({ cursor })).entries.map(nameOf), ["a"]);
    });
  });
}

function nameOf(entry: HistoryEntry): string {
  switch (entry.kind) {
    case "event":
      return entry.subtype ?? entry.type;
    case "signal":
      return entry.name ?? entry.type ?? "";
    default:
      return entry.checkpointId;
  }
}
