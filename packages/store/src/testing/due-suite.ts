import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CreateHarness, useStore } from "./harness.ts";
import { same } from "./values.ts";

export function describeDueTimes(createHarness: CreateHarness): void {
  describe("due times", () => {
    const t = useStore(createHarness);
    const fired = (more: object) => ({
      outcome: "fired",
      timedOut: [],
      lost: [],
      abandoned: [],
      unsettled: false,
      nextDueAtMs: undefined,
      ...more,
    });

    test("nothing to do: nothing to wait for", async () => {
      same(await t.fireDue(1_000), fired({}));
      await t.queue("i");
      await t.register("unwatched");
      same(await t.fireDue(1_000_000), fired({}));
    });

    test("R3: the running time is counted without suspended time and kept over lives", async () => {
      await t.queue("i", { timeoutMs: 1_000 });
      await t.claim("one", { nowMs: 100, leaseMs: 90_000 });
      same((await t.fireDue(150)).nextDueAtMs, 1_100);
      await t.suspend("i", { untilMs: 5_000, nowMs: 700 });
      same(await t.fireDue(4_000), fired({}));
      await t.claim("two", { nowMs: 5_000, leaseMs: 90_000 });
      same((await t.fireDue(5_399)).nextDueAtMs, 5_400);
      same(await t.fireDue(5_400), fired({ timedOut: ["i"] }));
      const { status, reason, finishedAtMs, holder, epoch } = await t.read("i");
      same([status, reason, finishedAtMs, holder, epoch], ["failed", "timeout", 5_400, null, 3]);
      const { type, subtype } = (await t.events("i")).at(-1) ?? {};
      same([type, subtype], ["failed", "timeout"]);
      same(await t.save("i", "a", "x", { epoch: 2 }), { outcome: "fenced", epoch: 3 });
      same((await t.run({ kind: "renewLease", workerId: "two", leaseMs: 1, nowMs: 5_400 })).lost, ["i"]);
      same(await t.fireDue(9_000), fired({}), "once");
    });

    test("R6: silent for too long, with nobody who launched or holds it: suspended as lost", async () => {
      await t.register("i", { nowMs: 100, staleAfterMs: 1_000 });
      same(await t.fireDue(1_099), fired({ nextDueAtMs: 1_100 }));
      same(await t.fireDue(1_100), fired({ lost: ["i"] }));
      const { status, reason, epoch } = await t.read("i");
      same([status, reason, epoch], ["suspended", "lost", 1]);
      const { type, subtype } = (await t.events("i")).at(-1) ?? {};
      same([type, subtype], ["suspended", "lost"]);
      same((await t.register("i", { nowMs: 2_000 })).outcome, "registered");
    });

    test("R6: one that was heard meanwhile is not lost, its time moves", async () => {
      await t.register("i", { nowMs: 100, staleAfterMs: 10_000 });
      await t.run({ kind: "touchInstances", seen: [{ instanceId: "i", atMs: 9_000 }] });
      same(await t.fireDue(10_100, { staleAfterMs: 10_000 }), fired({ nextDueAtMs: 19_000 }));
      await t.save("i", "a", "x", { nowMs: 18_000 });
      same(await t.fireDue(19_000, { staleAfterMs: 10_000 }), fired({ nextDueAtMs: 28_000 }));
      same((await t.read("i")).status, "running");
      same(await t.fireDue(28_000, { staleAfterMs: 10_000 }), fired({ lost: ["i"] }));
    });

    test("R6: silence before somebody listened counts for nothing", async () => {
      await t.register("i", { nowMs: 100, staleAfterMs: 1_000 });
      same(await t.fireDue(1_100, { silentSinceMs: 1_000 }), fired({ nextDueAtMs: 2_000 }));
      same(await t.fireDue(2_000, { silentSinceMs: 1_000 }), fired({ lost: ["i"] }));
    });

    test("R6: one with a lease is never judged by silence", async () => {
      await t.claimed("i", "worker");
      await t.run({ kind: "renewLease", workerId: "worker", leaseMs: 1_000_000, nowMs: 2 });
      same((await t.fireDue(900_000)).lost, []);
      same((await t.read("i")).status, "running");
    });

    test("lost with a cancel that nobody has acknowledged: cancelled", async () => {
      await t.register("i", { nowMs: 100, staleAfterMs: 1_000 });
      await t.signal("i", "cancel");
      await t.fireDue(1_100);
      const { status, reason } = await t.read("i");
      same([status, reason], ["cancelled", "cancelled"]);
    });

    test("a lease that ended long ago and that nobody claims: handed back, fenced, claimable at once", async () => {
      await t.claimed("i", "worker");
      same(await t.fireDue(35_000), fired({ nextDueAtMs: 35_001 }), "the lease ended at 5,001, 30,000 ago");
      same(await t.fireDue(35_001), fired({ abandoned: ["i"] }));
      const { status, reason, readyAtMs, epoch, holder } = await t.read("i");
      same([status, reason, readyAtMs, epoch, holder], ["suspended", "handedBack", 35_001, 2, null]);
      same(await t.save("i", "a", "x", { epoch: 1 }), { outcome: "fenced", epoch: 2 });
      same((await t.run({ kind: "renewLease", workerId: "worker", leaseMs: 1, nowMs: 35_002 })).lost, ["i"]);
      same((await t.claim("next", { nowMs: 35_002 })).work.length, 1);
    });

    test("oldest first, at most the limit; then it is to be called again at once", async () => {
      for (const [n, id] of ["c", "a", "b"].entries()) await t.register(id, { nowMs: 100 + n, staleAfterMs: 1_000 });
      const first = await t.fireDue(5_000, { limit: 2 });
      same(first.lost, ["c", "a"]);
      assert.ok(first.nextDueAtMs !== undefined && first.nextDueAtMs <= 5_000);
      same(await t.fireDue(5_000, { limit: 2 }), fired({ lost: ["b"] }));
    });

    test("an end with effects is told as unsettled", async () => {
      await t.register("p");
      await t.queue("c", {
        parent: { instanceId: "p", epoch: 1, resultSignal: "done", detached: false },
        timeoutMs: 10,
      });
      await t.claim("worker", { nowMs: 100 });
      same(await t.fireDue(110), fired({ timedOut: ["c"], unsettled: true }));
    });

    test("I7: each fires once, also through two openings", async () => {
      for (let n = 0; n < 50; n += 1) await t.register(`i${n}`, { nowMs: n, staleAfterMs: 1_000 });
      const other = await t.open();
      const fire = { kind: "fireDue", nowMs: 9_000, staleAfterMs: 1_000, limit: 20 } as const;
      const lost: string[] = [];
      for (let round = 0; round < 10; round += 1) {
        const answers = await Promise.all([t.store, other, t.store, other].map((store) => store.run(fire)));
        lost.push(...answers.flatMap((answer) => answer.lost));
      }
      assert.equal(lost.length, 50);
      assert.equal(new Set(lost).size, 50);
      same((await t.events("i7")).length, 2);
    });

    test("I7: due times survive opening the database again", async () => {
      await t.register("i", { nowMs: 100, staleAfterMs: 1_000 });
      await t.reopen();
      same(await t.fireDue(1_100), fired({ lost: ["i"] }));
    });
  });
}
