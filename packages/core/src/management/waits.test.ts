import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { limits } from "../limits.ts";
import { FakeClock, settled } from "../timers/testing/fake-clock.ts";
import { type ObservedStore, observedStore } from "./observed-store.test.helper.ts";
import { InstanceWaits } from "./waits.ts";

let observed: ObservedStore;
let clock: FakeClock;
let waits: InstanceWaits;
const never = new AbortController().signal;

beforeEach(async () => {
  observed = observedStore();
  clock = new FakeClock();
  waits = new InstanceWaits(observed.store, clock);
  const seed = new Uint8Array(16);
  const facts = { instanceId: "i", tenantId: "t", workflow: "w", tags: {}, seed };
  await observed.store.run({ kind: "startInstance", ...facts, nowMs: 1 });
});
afterEach(() => observed.store.close());

function kill(): Promise<unknown> {
  return observed.store.run({ kind: "controlInstance", instanceId: "i", order: "kill", nowMs: 2 });
}

test("a wait for the end reads once, and not again at changes before the end", async () => {
  const waiting = waits.result({ instanceId: "i", waitMs: 0 }, never);
  await settled();
  const before = observed.reads;
  await observed.store.run({ kind: "sendCustomSignal", instanceId: "i", name: "n", queued: false, nowMs: 2 });
  await settled();
  assert.equal(waits.open, 1);
  // The signal, and no look.
  assert.equal(observed.reads - before, 1);
  await kill();
  assert.equal((await waiting).status, "cancelled");
});

test("the time is up: the instance as it is, and nothing is left behind", async () => {
  const waiting = waits.result({ instanceId: "i", waitMs: 0 }, never);
  await settled();
  await clock.pass(limits.pollWaitMs - 1);
  await settled();
  assert.equal(waits.open, 1);
  await clock.pass(1);
  assert.equal((await waiting).status, "pending");
  assert.deepEqual([waits.open, clock.pending, observed.listeners.length], [0, 0, 0]);
});

test("absurd waits are cut to the longest", async () => {
  const waiting = waits.result({ instanceId: "i", waitMs: 4_294_967_295 }, never);
  await settled();
  await clock.pass(limits.pollWaitMsMax);
  assert.equal((await waiting).status, "pending");
});

test("giving up leaves nothing behind and changes nothing", async () => {
  const giveUp = new AbortController();
  const waiting = waits.result({ instanceId: "i", waitMs: 60_000 }, giveUp.signal);
  await settled();
  giveUp.abort();
  assert.equal((await waiting).status, "pending");
  assert.deepEqual([waits.open, clock.pending, observed.listeners.length], [0, 0, 0]);
});

test("an end between the look and the wait is not missed", async () => {
  // The kill is submitted behind the first look and carried out in the same flush.
  const waiting = waits.result({ instanceId: "i", waitMs: 60_000 }, never);
  const killed = kill();
  assert.equal((await waiting).status, "cancelled");
  await killed;
});

test("an unnamed notice makes every wait look again", async () => {
  const waiting = waits.result({ instanceId: "i", waitMs: 60_000 }, never);
  await settled();
  const before = observed.reads;
  for (const listener of observed.listeners) listener({ topic: "anything" });
  await settled();
  assert.equal(observed.reads, before + 1);
  await kill();
  await waiting;
});

test("a watch looks by itself, because other processes announce only the status", async () => {
  const { nextCursor } = await waits.watch({ instanceId: "i", waitMs: 0 }, never);
  const waiting = waits.watch({ instanceId: "i", waitMs: 60_000, cursor: nextCursor }, never);
  await settled();
  const before = observed.reads;
  await clock.pass(limits.watchLookMs);
  await settled();
  assert.equal(observed.reads, before + 1);
  await kill();
  const { ended, changes } = await waiting;
  assert.ok(ended && changes.length > 0);
});

test("a store that fails ends the wait with a retryable error", async () => {
  const waiting = waits.result({ instanceId: "i", waitMs: 60_000 }, never);
  await settled();
  const failed = assert.rejects(waiting, { code: "DATABASE_ERROR", repeatable: "always" });
  await observed.store.close();
  for (const listener of observed.listeners) listener({ topic: "anything" });
  await failed;
  assert.equal(waits.open, 0);
});
