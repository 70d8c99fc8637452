import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type OutgoingMessage, type Publish, StoreError } from "@runtara/store";
import { event, value } from "./batch-suite.ts";
import { type CreateHarness, type More, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describePublishing(createHarness: CreateHarness): void {
  describe("publishing", () => {
    const t = useStore(createHarness);
    const publish = (messages: readonly OutgoingMessage[], more: More<Publish> = {}) =>
      t.run({ kind: "publish", instanceId: "i", epoch: 1, run: 1, messages, nowMs: 3, ...more });
    const read = (key?: string) =>
      t.run({ kind: "readPublished", instanceId: "i", ...(key === undefined ? {} : { key }) });
    const values = async (key?: string) => {
      const result = await read(key);
      assert.ok(result.outcome === "found");
      return result.values.map((one) => [one.key, new TextDecoder().decode(one.value), one.updatedAtMs]);
    };

    test("values are replaced by key and listed byte by byte; events become event rows", async () => {
      await t.register("i");
      same(await publish([value(1, "b", "1"), value(2, "a", "2"), event(3, "e", 99), value(4, "ä", "3")]), {
        outcome: "published",
        lastNumber: 4,
      });
      same(await publish([value(5, "b", "4")], { nowMs: 9 }), { outcome: "published", lastNumber: 5 });
      same(await values(), [
        ["a", "2", 3],
        ["b", "4", 9],
        ["ä", "3", 3],
      ]);
      same(await values("a"), [["a", "2", 3]]);
      same(await values("none"), []);
      same((await t.events("i")).at(-1), {
        type: "custom",
        subtype: "e",
        checkpointId: null,
        payload: bytes("payload"),
        createdAtMs: 99,
        receivedAtMs: 3,
      });
    });

    test("a message of a number not above the highest, or of a lower run, is passed over; a higher run is told apart", async () => {
      await t.register("i");
      await publish([value(3, "k", "three")]);
      same(await publish([value(2, "k", "two"), value(3, "k", "again")]), { outcome: "published", lastNumber: 3 });
      same(await values(), [["k", "three", 3]]);
      same(await publish([value(4, "k", "x")], { run: 2 }), { outcome: "runMismatch", run: 1 });
      const begin = { kind: "saveBatch", instanceId: "i", epoch: 1, entries: [], messages: [], nowMs: 4 } as const;
      await t.run({ ...begin, beginsRun: 2 });
      same((await publish([value(9, "k", "old run")], { run: 1 })).outcome, "published");
      same(await values(), [["k", "three", 3]]);
      same(await publish([value(1, "k", "new run")], { run: 2 }), { outcome: "published", lastNumber: 1 });
      same(await values(), [["k", "new run", 3]]);
    });

    test("refused: unknown, fenced, not running, in this order, with nothing written", async () => {
      same(await publish([value(1, "k", "x")]), { outcome: "unknownInstance" });
      same(await read(), { outcome: "unknownInstance" });
      await t.register("i");
      await t.event("i", "suspended");
      same(await publish([value(1, "k", "x")], { epoch: 2 }), { outcome: "fenced", epoch: 1 });
      same(await publish([value(1, "k", "x")], { run: 9 }), { outcome: "refused", status: "suspended" });
      same(await values(), []);
    });

    test("numbers go on through a new registration of the same run", async () => {
      await t.register("i");
      await publish([value(7, "k", "x")]);
      await t.register("i");
      same(await publish([value(7, "k", "y")], { epoch: 2 }), { outcome: "published", lastNumber: 7 });
      same(await publish([value(8, "k", "z")], { epoch: 2 }), { outcome: "published", lastNumber: 8 });
      same(await values(), [["k", "z", 3]]);
    });

    test("more keys than are kept fail with VALUE_TOO_LONG, alone and without a trace", async () => {
      await t.register("i");
      const many = Array.from({ length: 1_000 }, (_, n) => value(n + 1, `key${n}`, "x"));
      same((await publish(many)).outcome, "published");
      const [before, tooMany, after] = await Promise.allSettled([
        t.save("i", "before", "x"),
        publish([value(1_001, "key0", "changed"), value(1_002, "one more", "x")]),
        t.save("i", "after", "x"),
      ]);
      assert.ok(tooMany.status === "rejected" && tooMany.reason instanceof StoreError);
      assert.equal(tooMany.reason.code, "VALUE_TOO_LONG");
      assert.deepEqual([before.status, after.status], ["fulfilled", "fulfilled"]);
      same(await values("key0"), [["key0", "x", 3]]);
      same((await publish([value(1_001, "key0", "changed")])).outcome, "published");
      same(await values("key0"), [["key0", "changed", 3]]);
    });

    test("I9: values of another tenant's instance are not read; values stay when the instance has ended", async () => {
      await t.register("i");
      await publish([value(1, "k", "x")]);
      await t.event("i", "completed");
      same(await t.run({ kind: "readPublished", instanceId: "i", tenantId: "other" }), { outcome: "unknownInstance" });
      await t.reopen();
      same(await values(), [["k", "x", 3]]);
    });
  });
}
