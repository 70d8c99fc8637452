import assert from "node:assert/strict";
import { test } from "node:test";
import { type FireDueResult, type Store, StoreError } from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";
import fc from "fast-check";
import { limits } from "../limits.ts";
import { Background, type BackgroundOptions } from "./index.ts";
import { disturbedStore } from "./testing/disturbed-store.ts";
import { FakeClock } from "./testing/fake-clock.ts";

const seed = new Uint8Array(16);

/** Registers an instance that has this much running time. */
async function register(store: Store, clock: FakeClock, instanceId: string, timeoutMs?: number, staleAfterMs = 0) {
  const nowMs = clock.now();
  const timeout = timeoutMs === undefined ? {} : { timeoutMs };
  await store.run({ kind: "startInstance", instanceId, tenantId: "t", tags: {}, ...timeout, seed, nowMs });
  const registration = { instanceId, tenantId: "t", checkTenant: false, seed, staleAfterMs, nowMs };
  await store.run({ kind: "registerInstance", ...registration });
}

async function instance(store: Store, instanceId: string) {
  const read = await store.run({ kind: "readInstance", instanceId });
  assert.equal(read.outcome, "found");
  return read.outcome === "found" ? read.instance : assert.fail();
}

const failures = async (store: Store, instanceId: string) => {
  const listed = await store.run({ kind: "listEvents", instanceId, limit: 100 });
  return listed.outcome === "page" ? listed.events.filter(({ type }) => type === "failed").length : 0;
};

/** What each process fired, as the store told it. */
function fired(store: Store, log: string[]): Store {
  return {
    ...disturbedStore(store, () => undefined),
    run: async (operation) => {
      const result = await store.run(operation);
      if (operation.kind === "fireDue") log.push(...(result as FireDueResult).timedOut);
      return result;
    },
  };
}

test("I7: with three processes on one database each timer fires once, never early and late by a gap at most", async () => {
  const delays = fc.array(fc.nat(3_000), { minLength: 1, maxLength: 40 });
  const starts = fc.tuple(fc.nat(1_500), fc.nat(1_500), fc.nat(1_500));
  await fc.assert(
    fc.asyncProperty(delays, starts, fc.nat(3_000), async (timeouts, startsMs, diesMs) => {
      const clock = new FakeClock();
      const beganMs = clock.now();
      const store = openMemoryStore();
      const log: string[] = [];
      const cores = startsMs.map((startMs) => {
        const core = new Background({ store: fired(store, log), clock, staleAfterMs: 0 });
        clock.after(startMs, () => core.start());
        return core;
      });
      // One of them is taken away in the middle.
      clock.after(diesMs, () => void cores[0]?.stop());
      for (const [n, timeoutMs] of timeouts.entries()) await register(store, clock, `i${n}`, timeoutMs);
      await clock.pass(4_000);
      for (const [n, timeoutMs] of timeouts.entries()) {
        const { status, reason, finishedAtMs } = await instance(store, `i${n}`);
        assert.deepEqual([status, reason, await failures(store, `i${n}`)], ["failed", "timeout", 1]);
        const servedFromMs = beganMs + Math.min(startsMs[1], startsMs[2]);
        const lateMs = (finishedAtMs ?? 0) - Math.max(beganMs + timeoutMs, servedFromMs);
        assert.ok((finishedAtMs ?? 0) >= beganMs + timeoutMs);
        assert.ok(lateMs <= limits.dueGapMs, `late by ${lateMs} ms`);
      }
      assert.equal(log.length, timeouts.length, "each was fired by one process");
      await Promise.all(cores.map((core) => core.stop()));
      assert.equal(clock.pending, 0);
    }),
    { numRuns: 60 },
  );
});

test("R25: many that are due at once are fired in batches, a gap apart", async () => {
  const clock = new FakeClock();
  const store = openMemoryStore();
  const core = new Background({ store, clock, staleAfterMs: 0 });
  core.start();
  const count = 3 * limits.dueBatch + 1;
  for (let n = 0; n < count; n += 1) await register(store, clock, `i${n}`, 1_000);
  const dueMs = clock.now() + 1_000;
  await clock.pass(2_000);
  let latestMs = 0;
  for (let n = 0; n < count; n += 1) latestMs = Math.max(latestMs, (await instance(store, `i${n}`)).finishedAtMs ?? 0);
  assert.equal(latestMs, dueMs + 3 * limits.dueGapMs);
  await core.stop();
});

function useCore(options: Partial<BackgroundOptions> = {}) {
  const clock = new FakeClock();
  const store = openMemoryStore();
  const core = new Background({ store, clock, staleAfterMs: 120_000, ...options });
  return { clock, store, core };
}

const status = async (store: Store, instanceId: string) => {
  const { status, reason } = await instance(store, instanceId);
  return `${status} ${reason}`;
};

test("R6: silence for too long is lost; a call, an open sleep and a later core's start are no silence", async () => {
  const { clock, store, core } = useCore();
  core.start();
  const lateMs = core.liveness.judgedAfterMs - 120_000;
  for (const instanceId of ["silent", "calls", "sleeps"]) await register(store, clock, instanceId, undefined, 120_000);
  const letGo = core.liveness.hold("sleeps", 1);
  await clock.pass(60_000);
  core.liveness.heard("calls", 1);
  await clock.pass(60_000 - 1);
  assert.equal(await status(store, "silent"), "running null");
  await clock.pass(1 + lateMs);
  assert.equal(await status(store, "silent"), "suspended lost");
  assert.equal(await status(store, "calls"), "running null");
  await clock.pass(60_000);
  assert.equal(await status(store, "calls"), "suspended lost");
  await clock.pass(600_000);
  assert.equal(await status(store, "sleeps"), "running null");
  letGo();
  await clock.pass(119_999);
  assert.equal(await status(store, "sleeps"), "running null");
  await clock.pass(1 + lateMs);
  assert.equal(await status(store, "sleeps"), "suspended lost");
  await core.stop();
  assert.equal(clock.pending, 0);
});

test("a core that was away for long calls nobody lost before it has listened for long enough itself", async () => {
  const { clock, store, core } = useCore();
  core.start();
  await register(store, clock, "a", undefined, 120_000);
  await core.stop();
  await clock.pass(3_600_000);
  const later = new Background({ store, clock, staleAfterMs: 120_000 });
  later.start();
  await clock.pass(119_999);
  assert.equal(await status(store, "a"), "running null");
  await clock.pass(1 + later.liveness.judgedAfterMs - 120_000);
  assert.equal(await status(store, "a"), "suspended lost");
  await later.stop();
});

test("I8: work whose worker is gone and that nobody claims is shown as handed back", async () => {
  const { clock, store, core } = useCore();
  core.start();
  const nowMs = clock.now();
  await store.run({ kind: "startInstance", instanceId: "a", tenantId: "t", workflow: "w", tags: {}, seed, nowMs });
  const claim = { tenantId: "t", offers: [{ name: "w", versions: [] }], capacity: 1, received: 0, runningMax: 0 };
  await store.run({ kind: "claimWork", workerId: "w1", ...claim, leaseMs: 5_000, bytesMax: 1_000, nowMs });
  await clock.pass(34_999);
  assert.equal(await status(store, "a"), "running null");
  await clock.pass(limits.dueGapMs + 1);
  assert.equal(await status(store, "a"), "suspended handedBack");
  await core.stop();
});

test("a store that fails holds timers up, later and later, and is told; then everything due fires", async () => {
  const trouble: string[] = [];
  const clock = new FakeClock();
  const memory = openMemoryStore();
  let failing = false;
  const outage = new StoreError("UNAVAILABLE", "the database cannot be reached");
  const store = disturbedStore(memory, () => (failing ? outage : undefined));
  const core = new Background({
    store,
    clock,
    staleAfterMs: 120_000,
    onTrouble: (task, error) => trouble.push(`${task} ${error.code}`),
  });
  core.start();
  await register(memory, clock, "a", 1_000);
  failing = true;
  await clock.pass(60_000);
  assert.equal(await status(memory, "a"), "running null");
  const told = trouble.filter((text) => text === "timers UNAVAILABLE").length;
  assert.ok(told >= 10 && told <= 20, `told ${told} times in a minute`);
  failing = false;
  await clock.pass(limits.troubleDelayMsMax);
  assert.equal(await status(memory, "a"), "failed timeout");
  await core.stop();
  assert.equal(clock.pending, 0);
});

test("at rest a core has one timer for each of its tasks and asks the store for nothing, whatever number is pending", async () => {
  const { clock, store, core } = useCore({ staleAfterMs: 0 });
  core.start();
  for (let n = 0; n < 1_000; n += 1) await register(store, clock, `i${n}`, 1e9 + n);
  await clock.pass(1_000);
  const { operations } = store.stats();
  await clock.pass(limits.settleEveryMs - 2_000);
  assert.equal(store.stats().operations, operations);
  assert.ok(clock.pending <= 3, `${clock.pending} timers`);
  await core.stop();
});
