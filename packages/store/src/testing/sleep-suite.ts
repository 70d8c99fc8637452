import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CreateHarness, ending, useStore } from "./harness.ts";

export function describeSleeps(createHarness: CreateHarness): void {
  describe("durable sleeps", () => {
    const t = useStore(createHarness);
    const end = (ordinal: number, checkpointId = "nap") =>
      t.store.run({ kind: "endSleep", instanceId: "i", checkpointId, ordinal });
    const sleeping = (ordinal: number, wakeAtMs: number, continued: boolean) => ({
      outcome: "sleeping",
      ordinal,
      wakeAtMs,
      continued,
    });

    test("I7: after a crash a new registration continues the recorded end", async () => {
      await t.register("i");
      assert.deepEqual(await t.sleep("i", "nap", 1_000, 10), sleeping(1, 1_010, false));
      await t.reopen();
      await t.register("i");
      assert.deepEqual(await t.sleep("i", "nap", 1_000, 500), sleeping(1, 1_010, true));
      await end(1);
      assert.deepEqual(await t.sleep("i", "nap", 1_000, 2_000), sleeping(2, 3_000, false));
    });

    test("one that is over is not slept again by a later registration, however often it registers", async () => {
      await t.register("i");
      await t.sleep("i", "nap", 100, 0);
      await end(1);
      for (const nowMs of [5_000, 6_000]) {
        await t.register("i");
        assert.deepEqual(await t.sleep("i", "nap", 100, nowMs), sleeping(1, 100, true));
        await end(1);
      }
    });

    test("within one registration a repeated id is a new sleep once the last has ended; an unfinished one is continued", async () => {
      await t.register("i");
      assert.deepEqual(await t.sleep("i", "nap", 100, 0), sleeping(1, 100, false));
      assert.deepEqual(await t.sleep("i", "nap", 100, 150), sleeping(1, 100, true));
      await end(1);
      assert.deepEqual(await t.sleep("i", "nap", 100, 200), sleeping(2, 300, false));
      await end(2);
      assert.deepEqual(await t.sleep("i", "other", 100, 300), sleeping(1, 400, false));
      await t.register("i");
      for (const [ordinal, wakeAtMs] of [
        [1, 100],
        [2, 300],
      ] as const) {
        assert.deepEqual(await t.sleep("i", "nap", 100, 400), sleeping(ordinal, wakeAtMs, true));
        await end(ordinal);
      }
      assert.deepEqual(await t.sleep("i", "nap", 100, 400), sleeping(3, 500, false));
    });

    test("unknown and finished instances get no record, and the end of an instance forgets its sleeps", async () => {
      assert.deepEqual(await t.sleep("nobody", "nap", 100, 0), { outcome: "unrecorded" });
      await t.register("i");
      await t.sleep("i", "nap", 100, 0);
      const transitions = [ending("completed")];
      await t.store.run({
        kind: "appendEvent",
        instanceId: "i",
        type: "completed",
        createdAtMs: 1,
        transitions,
        nowMs: 1,
      });
      assert.deepEqual(await t.sleep("i", "nap", 100, 0), { outcome: "unrecorded" });
      assert.deepEqual(await end(1), { outcome: "ended" });
    });

    test("suspending keeps the sleeps", async () => {
      await t.register("i");
      await t.sleep("i", "nap", 100, 0);
      const transitions = [{ from: ["running"], to: "suspended", ends: false }] as const;
      await t.store.run({
        kind: "appendEvent",
        instanceId: "i",
        type: "suspended",
        createdAtMs: 1,
        transitions,
        nowMs: 1,
      });
      await t.register("i");
      assert.deepEqual(await t.sleep("i", "nap", 100, 50), sleeping(1, 100, true));
    });

    test("sleeps are no checkpoints", async () => {
      await t.register("i");
      await t.sleep("i", "nap", 100, 0);
      assert.deepEqual(await t.load("i", "nap"), { outcome: "missing" });
      const saved = await t.save("i", "nap", "x");
      assert.equal(saved.outcome, "saved");
    });
  });
}
