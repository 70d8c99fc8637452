import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Store } from "@runtara/store";
import { limits } from "../limits.ts";
import { onEachDatabase } from "../testing/each-database.ts";
import { SettleService } from "./index.ts";
import { disturbedStore } from "./testing/disturbed-store.ts";
import { FakeClock } from "./testing/fake-clock.ts";

const seed = new Uint8Array(16);

onEachDatabase((open) => {
  /** A running parent with `count` attached children that wait, and a service that has not been started. */
  async function useFamily(t: TestContext, count: number) {
    const clock = new FakeClock();
    const { store, close } = await open();
    const settle = new SettleService({ store, clock });
    t.after(async () => {
      await settle.stop();
      await close();
      assert.equal(clock.pending, 0);
    });
    const usual = { kind: "startInstance", tenantId: "t", workflow: "w", tags: {}, seed } as const;
    await store.run({ ...usual, instanceId: "parent", nowMs: clock.now() });
    const registration = { instanceId: "parent", tenantId: "t", checkTenant: false, seed, staleAfterMs: 0 };
    await store.run({ kind: "registerInstance", ...registration, nowMs: clock.now() });
    const parent = { instanceId: "parent", epoch: 1, resultSignal: "done", detached: false };
    for (let n = 0; n < count; n += 1) await store.run({ ...usual, instanceId: `c${n}`, parent, nowMs: clock.now() });
    return { clock, store, settle };
  }

  const end = (store: Store, instanceId: string, nowMs: number) =>
    store.run({ kind: "appendEvent", instanceId, type: "completed", createdAtMs: nowMs, nowMs });

  async function told(store: Store): Promise<number> {
    const interest = { instanceId: "parent", epoch: 1, names: ["done"], afterSignalId: 0 };
    const { instances } = await store.run({ kind: "readSignals", interests: [interest], bytesMax: 1_000_000 });
    return instances[0]?.queued.length ?? 0;
  }

  test("ends that a crash left open are settled at the start, each once", async (t) => {
    const { clock, store, settle } = await useFamily(t, 3);
    for (const child of ["c0", "c1"]) await end(store, child, clock.now());
    assert.equal(await told(store), 0);
    settle.start();
    await clock.pass(0);
    assert.equal(await told(store), 2);
    await clock.pass(2 * limits.settleEveryMs);
    assert.equal(await told(store), 2);
  });

  test("an end is settled by the notice of it", async (t) => {
    const { clock, store, settle } = await useFamily(t, 1);
    settle.start();
    await clock.pass(0);
    const ended = await end(store, "c0", clock.now());
    assert.equal(ended.outcome === "stored" && ended.unsettled, true);
    await clock.pass(0);
    assert.equal(await told(store), 1);
  });

  test("I8: the end of a parent reaches all its children, also more than one batch of them", async (t) => {
    const count = limits.settleBatch + 50;
    const { clock, store, settle } = await useFamily(t, count);
    settle.start();
    await end(store, "parent", clock.now());
    settle.wake();
    await clock.pass(limits.dueGapMs * 10);
    for (let n = 0; n < count; n += 1) {
      const read = await store.run({ kind: "readInstance", instanceId: `c${n}` });
      assert.equal(
        read.outcome === "found" && (read.instance.status === "cancelled" || read.instance.readyAtMs !== null),
        true,
      );
    }
  });

  test("an end that another process left open is found within the time between two looks", async (t) => {
    const { clock, store } = await useFamily(t, 1);
    // Nobody is told of anything, as after the crash of the process that would have told.
    const deaf: Store = { ...disturbedStore(store, () => undefined), watch: () => () => {} };
    const settle = new SettleService({ store: deaf, clock });
    settle.start();
    await clock.pass(1);
    await end(store, "c0", clock.now());
    await clock.pass(limits.settleEveryMs - 1);
    assert.equal(await told(store), 1);
    await settle.stop();
  });
});
