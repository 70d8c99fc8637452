import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Store } from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";
import { limits } from "../limits.ts";
import { type RetentionAges, RetentionService } from "./index.ts";
import { disturbedStore } from "./testing/disturbed-store.ts";
import { FakeClock } from "./testing/fake-clock.ts";

const seed = new Uint8Array(16);
const batchMs = 30;

/** A service whose batches take `batchMs` each. */
function useRetention(t: TestContext, ages: RetentionAges) {
  const clock = new FakeClock();
  const store = openMemoryStore();
  const batchesAtMs: number[] = [];
  const slow = disturbedStore(store, (kind) => {
    assert.equal(kind, "removeOld");
    batchesAtMs.push(clock.now());
    return new Promise((resolve) => clock.after(batchMs, () => resolve(undefined)));
  });
  const retention = new RetentionService({ store: slow, clock, ages });
  t.after(async () => {
    const stopping = retention.stop();
    await clock.pass(batchMs);
    await stopping;
    await store.close();
    assert.equal(clock.pending, 0);
  });
  return { clock, store, retention, batchesAtMs };
}

async function add(store: Store, clock: FakeClock, instanceId: string, ended: boolean): Promise<void> {
  const nowMs = clock.now();
  const registration = { instanceId, tenantId: "t", checkTenant: false, seed, staleAfterMs: 0, nowMs };
  await store.run({ kind: "registerInstance", ...registration });
  await store.run({ kind: "saveCheckpoint", instanceId, checkpointId: "c", state: seed, nowMs });
  if (ended) await store.run({ kind: "appendEvent", instanceId, type: "completed", createdAtMs: nowMs, nowMs });
}

const isKept = async (store: Store, instanceId: string) =>
  (await store.run({ kind: "readInstance", instanceId })).outcome === "found";

test("what has ended is removed at its age, what has not stays, and without ages everything does", async (t) => {
  const { clock, store, retention } = useRetention(t, { instancesMs: 600_000 });
  const keeping = new RetentionService({ store, clock, ages: {} });
  await add(store, clock, "ended", true);
  await add(store, clock, "running", false);
  keeping.start();
  await clock.pass(1_000_000);
  assert.equal(await isKept(store, "ended"), true);
  await keeping.stop();
  await add(store, clock, "young", true);
  retention.start();
  await clock.pass(limits.retentionEveryMs + 1_000);
  assert.deepEqual(await Promise.all(["ended", "running", "young"].map((id) => isKept(store, id))), [
    false,
    true,
    true,
  ]);
  await clock.pass(600_000 - 1_000 + limits.retentionEveryMs);
  assert.deepEqual(await Promise.all(["running", "young"].map((id) => isKept(store, id))), [true, false]);
});

test("checkpoints and events go at ages of their own", async (t) => {
  const { clock, store, retention } = useRetention(t, { checkpointsMs: 100_000, eventsMs: 200_000 });
  await add(store, clock, "a", true);
  retention.start();
  const left = async () => {
    const [checkpoint, events] = await Promise.all([
      store.run({ kind: "loadCheckpoint", instanceId: "a", checkpointId: "c" }),
      store.run({ kind: "listEvents", instanceId: "a", limit: 10 }),
    ]);
    return [checkpoint.outcome, events.outcome === "page" && events.events.length > 0];
  };
  await clock.pass(limits.retentionEveryMs + batchMs);
  assert.deepEqual(await left(), ["found", true]);
  await clock.pass(limits.retentionEveryMs + batchMs);
  assert.deepEqual(await left(), ["missing", true]);
  await clock.pass(2 * (limits.retentionEveryMs + batchMs));
  assert.deepEqual(await left(), ["missing", false]);
  assert.equal(await isKept(store, "a"), true);
});

test("batches are bounded and rest as long as they took; a stop leaves the rest for later", async (t) => {
  const { clock, store, retention, batchesAtMs } = useRetention(t, { instancesMs: 1 });
  for (let n = 0; n < 2_000; n += 1) await add(store, clock, `i${n}`, true);
  retention.start();
  const beganMs = clock.now() + limits.retentionEveryMs;
  await clock.pass(limits.retentionEveryMs + 3 * 2 * batchMs);
  assert.deepEqual(
    batchesAtMs.map((atMs) => atMs - beganMs),
    [0, 2 * batchMs, 4 * batchMs, 6 * batchMs],
  );
  const stopping = retention.stop();
  await clock.pass(10_000);
  await stopping;
  assert.equal(batchesAtMs.length, 4);
  assert.equal(await isKept(store, "i1999"), true, "there was more to do");
});
