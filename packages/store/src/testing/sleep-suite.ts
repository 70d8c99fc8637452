import { describe, test } from "node:test";
import { type CreateHarness, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeSleeps(createHarness: CreateHarness): void {
  describe("durable sleeps", () => {
    const t = useStore(createHarness);
    const end = (ordinal: number, checkpointId = "nap") =>
      t.run({ kind: "endSleep", instanceId: "i", checkpointId, ordinal });
    const sleeping = (ordinal: number, wakeAtMs: number, continued: boolean) => ({
      outcome: "sleeping",
      ordinal,
      wakeAtMs,
      continued,
    });

    test("I7: after a crash a new registration continues the recorded end", async () => {
      await t.register("i");
      same(await t.sleep("i", "nap", 1_000, 10), sleeping(1, 1_010, false));
      await t.reopen();
      await t.register("i");
      same(await t.sleep("i", "nap", 1_000, 500), sleeping(1, 1_010, true));
      await end(1);
      same(await t.sleep("i", "nap", 1_000, 2_000), sleeping(2, 3_000, false));
    });

    test("one that is over is not slept again by a later registration, however often it registers", async () => {
      await t.register("i");
      await t.sleep("i", "nap", 100, 0);
      await end(1);
      for (const nowMs of [5_000, 6_000]) {
        await t.register("i");
        same(await t.sleep("i", "nap", 100, nowMs), sleeping(1, 100, true));
        await end(1);
      }
    });

    test("within one registration a repeated id is a new sleep once the last has ended; an unfinished one is continued", async () => {
      await t.register("i");
      same(await t.sleep("i", "nap", 100, 0), sleeping(1, 100, false));
      same(await t.sleep("i", "nap", 100, 150), sleeping(1, 100, true));
      await end(1);
      same(await t.sleep("i", "nap", 100, 200), sleeping(2, 300, false));
      await end(2);
      same(await t.sleep("i", "other", 100, 300), sleeping(1, 400, false));
      await t.register("i");
      for (const [ordinal, wakeAtMs] of [
        [1, 100],
        [2, 300],
      ] as const) {
        same(await t.sleep("i", "nap", 100, 400), sleeping(ordinal, wakeAtMs, true));
        await end(ordinal);
      }
      same(await t.sleep("i", "nap", 100, 400), sleeping(3, 500, false));
    });

    test("unknown and finished instances get no record, and the end of an instance forgets its sleeps", async () => {
      same(await t.sleep("nobody", "nap", 100, 0), { outcome: "unrecorded" });
      await t.register("i");
      await t.sleep("i", "nap", 100, 0);
      await t.event("i", "completed");
      same(await t.sleep("i", "nap", 100, 0), { outcome: "unrecorded" });
      same(await end(1), { outcome: "ended" });
    });

    test("suspending keeps the sleeps", async () => {
      await t.register("i");
      await t.sleep("i", "nap", 100, 0);
      await t.event("i", "suspended");
      await t.register("i");
      same(await t.sleep("i", "nap", 100, 50), sleeping(1, 100, true));
    });

    test("sleeps are no checkpoints", async () => {
      await t.register("i");
      await t.sleep("i", "nap", 100, 0);
      same(await t.load("i", "nap"), { outcome: "missing" });
      same((await t.save("i", "nap", "x")).outcome, "saved");
      same((await t.read("i")).checkpointCount, 1);
    });

    test("I5: with another epoch than the present one there is no record", async () => {
      await t.register("i");
      await t.register("i");
      const begin = { kind: "beginSleep", instanceId: "i", checkpointId: "nap", state: bytes("s") } as const;
      same(await t.run({ ...begin, durationMs: 100, nowMs: 0, epoch: 1 }), { outcome: "unrecorded" });
      same(await t.run({ ...begin, durationMs: 100, nowMs: 0, epoch: 2 }), sleeping(1, 100, false));
    });

    test("the end that an earlier registration reports of a record that a later one has adopted does nothing", async () => {
      await t.register("i");
      await t.sleep("i", "nap", 100, 0);
      await t.register("i");
      same(await t.sleep("i", "nap", 100, 10), sleeping(1, 100, true));
      same(await t.run({ kind: "endSleep", instanceId: "i", checkpointId: "nap", ordinal: 1, epoch: 1 }), {
        outcome: "ended",
      });
      same(await t.sleep("i", "nap", 100, 20), sleeping(1, 100, true), "still asleep");
    });

    test("pending and suspended instances may sleep, too", async () => {
      await t.start("i");
      same(await t.sleep("i", "nap", 100, 0), sleeping(1, 100, false));
    });
  });
}
