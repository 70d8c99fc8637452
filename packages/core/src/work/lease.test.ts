import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { answered } from "../answer.ts";
import { limits } from "../limits.ts";
import { onEachDatabase } from "../testing/each-database.ts";
import { FakeClock, settled } from "../timers/testing/fake-clock.ts";
import { type ReleasedWork, type RenewResponse, WorkService } from "./index.ts";
import { claim, start } from "./testing/test-work.ts";

onEachDatabase((open) => {
  /** Worker w1 runs instance "a" since now; w2 waits for work. */
  async function useHeld(t: TestContext) {
    const clock = new FakeClock();
    const database = await open();
    const { store } = database;
    const [work, elsewhere] = [new WorkService({ store, clock }), new WorkService({ store, clock })];
    t.after(async () => {
      await Promise.all([work.close(), elsewhere.close()]);
      await database.close();
      assert.equal(clock.pending, 0);
    });
    const held = claim(work, {});
    await start(work, "a");
    assert.deepEqual(held.ids, ["a"]);
    const next = claim(elsewhere, {}, { workerId: "w2", waitMs: limits.pollWaitMsMax });
    await settled();
    return {
      clock,
      work,
      next,
      renew: (workerId: string) => answered<RenewResponse>((answer) => work.renew({ workerId, leaseMs: 0 }, answer)),
      release: (...released: Partial<ReleasedWork>[]) =>
        answered<void>((answer) => {
          const usual = { instanceId: "a", epoch: 1, handBack: true, delayMs: 0, reason: "" };
          work.release({ workerId: "w1", work: released.map((more) => ({ ...usual, ...more })) }, answer);
        }),
      save: (epoch: number) =>
        store.run({
          kind: "saveCheckpoint",
          instanceId: "a",
          epoch,
          checkpointId: `of ${epoch}`,
          state: new Uint8Array(),
          nowMs: clock.now(),
        }),
    };
  }

  test("I5: when a lease ends another worker has the work within 100 ms, and late writes are fenced", async (t) => {
    const { clock, next, save, renew } = await useHeld(t);
    await clock.pass(limits.leaseMs - 1);
    assert.equal(next.ids, undefined);
    assert.equal((await save(1)).outcome, "saved");
    await clock.pass(1 + 100);
    assert.deepEqual(next.ids, ["a"]);
    assert.equal(next.response?.work[0]?.facts.epoch, 2);
    assert.equal((await save(1)).outcome, "fenced");
    assert.equal((await save(2)).outcome, "saved");
    assert.deepEqual((await renew("w1")).lost, ["a"]);
  });

  test("a renewed lease keeps the work, and tells the server's time", async (t) => {
    const { clock, next, renew } = await useHeld(t);
    for (let n = 0; n < 10; n += 1) {
      await clock.pass(limits.leaseMs - 1_000);
      const { leaseUntilMs, serverTimeMs, lost } = await renew("w1");
      assert.deepEqual([leaseUntilMs, serverTimeMs, lost], [clock.now() + limits.leaseMs, clock.now(), []]);
    }
    assert.equal(next.ids, undefined);
    await clock.pass(limits.leaseMs);
    assert.deepEqual(next.ids, ["a"]);
  });

  test("I8: the open claim of a worker that renews no longer neither keeps nor gets its work", async (t) => {
    const { clock, work, next } = await useHeld(t);
    const dead = claim(work, {}, { received: 1, waitMs: limits.pollWaitMsMax });
    await clock.pass(limits.leaseMs - 1);
    assert.equal(next.ids, undefined);
    await clock.pass(1);
    assert.deepEqual(next.ids, ["a"]);
    await start(work, "b");
    await clock.pass(10_000);
    assert.equal(dead.ids, undefined);
  });

  test("an open claim that had no renewal gets work again as soon as there is one", async (t) => {
    const { clock, work, next, renew } = await useHeld(t);
    next.poll.abandon();
    const slow = claim(work, {}, { received: 1, waitMs: limits.pollWaitMsMax });
    await clock.pass(limits.leaseMs);
    await start(work, "b");
    assert.equal(slow.ids, undefined);
    await renew("w1");
    await settled();
    assert.deepEqual(slow.ids, ["b"]);
  });

  test("what is handed back goes to the next worker, at once or after the delay asked for", async (t) => {
    const { clock, work, next, save, release } = await useHeld(t);
    await release({ delayMs: 700, reason: "the process ends" });
    assert.equal((await save(1)).outcome, "refused", "it runs nowhere");
    await clock.pass(699);
    assert.equal(next.ids, undefined);
    await clock.pass(1);
    assert.deepEqual(next.ids, ["a"]);
    await release({ epoch: 1 });
    assert.equal((await save(2)).outcome, "saved", "a late hand-back of the earlier worker means nothing");
    const third = claim(work, {}, { workerId: "w3" });
    await settled();
    assert.equal(third.ids, undefined);
  });

  test("a release of unknown, ended and foreign instances is answered; wrong ones are refused as a whole", async (t) => {
    const { next, release } = await useHeld(t);
    await release({ instanceId: "unknown" }, { epoch: 99 });
    const many = Array<Partial<ReleasedWork>>(limits.releasedMax + 1).fill({});
    for (const wrong of [[{}, { instanceId: "" }], [{ reason: "\0" }], [{ delayMs: -1 }], many]) {
      await assert.rejects(release(...wrong), { code: "VALIDATION_ERROR" });
    }
    await settled();
    assert.equal(next.ids, undefined, "nothing was released");
  });
});
