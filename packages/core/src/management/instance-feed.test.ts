import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { limits } from "../limits.ts";
import { FakeClock, settled } from "../timers/testing/fake-clock.ts";
import { InstanceFeed } from "./instance-feed.ts";
import { type ObservedStore, observedStore } from "./observed-store.test.helper.ts";

let observed: ObservedStore;
let clock: FakeClock;
let feed: InstanceFeed;
const never = new AbortController().signal;

beforeEach(() => {
  observed = observedStore();
  clock = new FakeClock();
  feed = new InstanceFeed(observed.store, clock);
});
afterEach(async () => {
  feed.close();
  await observed.store.close();
  assert.deepEqual([feed.open, clock.pending, observed.listeners.length], [0, 0, 0]);
});

async function start(instanceId: string, tenantId = "t", workflow = "w"): Promise<void> {
  const seed = new Uint8Array(16);
  await observed.store.run({ kind: "startInstance", instanceId, tenantId, workflow, tags: {}, seed, nowMs: 1 });
}

async function begin(): Promise<string> {
  const { instances, reset, nextCursor } = await feed.poll({ waitMs: 60_000 }, never);
  assert.deepEqual([instances, reset], [[], true]);
  return nextCursor;
}

const idsOf = (instances: readonly { readonly instanceId: string }[]) => instances.map(({ instanceId }) => instanceId);

test("the first poll is answered at once and says that nothing is known yet; nobody listens before it", async () => {
  await start("i");
  assert.equal(observed.listeners.length, 0);
  const before = observed.reads;
  await begin();
  assert.deepEqual([observed.listeners.length, observed.reads], [1, before]);
});

test("changes are answered together after a pause, each instance once, as it is then", async () => {
  const cursor = await begin();
  const polling = feed.poll({ cursor, waitMs: 60_000 }, never);
  await settled();
  assert.equal(feed.open, 1);
  for (const id of ["a", "b"]) await start(id);
  await clock.pass(limits.feedGatherMs - 1);
  assert.equal(feed.open, 1);
  await observed.store.run({ kind: "controlInstance", instanceId: "a", order: "kill", nowMs: 2 });
  await clock.pass(1);
  const { instances, nextCursor, reset } = await polling;
  assert.deepEqual([idsOf(instances), reset], [["b", "a"], false]);
  assert.equal(instances[1]?.status, "cancelled");
  assert.ok(!instances.some((one) => "output" in one), "results are no part of it");
  const next = feed.poll({ cursor: nextCursor, waitMs: 1 }, never);
  await clock.pass(1);
  assert.deepEqual(await next, { instances: [], nextCursor, reset: false });
});

test("what happened between two polls is not lost, and comes in pages, read a few at a time", async () => {
  const cursor = await begin();
  const count = limits.changesMax + 1;
  for (let n = 0; n < count; n += 1) await start(`i${n}`);
  const full = await feed.poll({ cursor, waitMs: 60_000 }, never);
  assert.equal(full.instances.length, limits.changesMax);
  assert.ok(observed.readsAtOnce <= limits.feedReads, `${observed.readsAtOnce} at once`);
  const rest = feed.poll({ cursor: full.nextCursor, waitMs: 60_000 }, never);
  await clock.pass(limits.feedGatherMs);
  assert.deepEqual(idsOf((await rest).instances), [`i${count - 1}`]);
  // A cursor may be used again: an answer that was lost on its way loses nothing.
  assert.deepEqual(await feed.poll({ cursor, waitMs: 60_000 }, never), full);
});

test("instances of others are passed over, and the cursor moves", async () => {
  const cursor = await begin();
  const polling = feed.poll({ cursor, tenantId: "t", workflow: "w", waitMs: 60_000 }, never);
  await settled();
  for (let n = 0; n < limits.changesMax; n += 1) await start(`other ${n}`, "other");
  await start("x", "t", "x");
  await clock.pass(limits.feedGatherMs);
  assert.equal(feed.open, 1);
  await start("mine");
  await clock.pass(limits.feedGatherMs);
  const { instances, nextCursor } = await polling;
  assert.deepEqual(idsOf(instances), ["mine"]);
  await start("x2", "t", "x");
  const late = feed.poll({ cursor: nextCursor, tenantId: "t", workflow: "w", waitMs: 1 }, never);
  await clock.pass(1);
  const over = await late;
  assert.deepEqual([over.instances, over.reset], [[], false]);
  assert.notEqual(over.nextCursor, nextCursor);
  const before = observed.reads;
  const idle = feed.poll({ cursor: over.nextCursor, waitMs: 1 }, never);
  await clock.pass(1);
  await idle;
  assert.equal(observed.reads, before);
});

test("an instance that is gone by then is passed over", async () => {
  const cursor = await begin();
  for (const listener of observed.listeners) listener({ topic: "instance", instanceId: "gone", ended: true });
  const polling = feed.poll({ cursor, waitMs: 200 }, never);
  await clock.pass(200);
  const { instances, reset } = await polling;
  assert.deepEqual([instances, reset], [[], false]);
});

test("where nobody knows what has changed, the list is to be read anew", async () => {
  const cursor = await begin();
  const polling = feed.poll({ cursor, waitMs: 60_000 }, never);
  await settled();
  for (const listener of observed.listeners) listener({ topic: "anything" });
  await clock.pass(limits.feedGatherMs);
  const { instances, reset, nextCursor } = await polling;
  assert.deepEqual([instances, reset], [[], true]);
  await start("i");
  const next = feed.poll({ cursor: nextCursor, waitMs: 60_000 }, never);
  await clock.pass(limits.feedGatherMs);
  assert.deepEqual(idsOf((await next).instances), ["i"]);
});

test("whoever is further behind than the memory reaches lists anew; the others go on", async () => {
  const cursor = await begin();
  const [listener = () => assert.fail("nobody listens")] = observed.listeners;
  const note = (count: number) => {
    for (let n = 0; n < count; n += 1) listener({ topic: "instance", instanceId: `${n}`, ended: false });
  };
  note(limits.feedInstancesMax);
  await start("last");
  const { reset, nextCursor } = await feed.poll({ cursor, waitMs: 60_000 }, never);
  assert.equal(reset, true);
  await start("i");
  const next = feed.poll({ cursor: nextCursor, waitMs: 60_000 }, never);
  await clock.pass(limits.feedGatherMs);
  assert.deepEqual(idsOf((await next).instances), ["i"]);
});

test("after a while without a poll nothing is kept and nobody listens; a later cursor lists anew", async () => {
  const cursor = await begin();
  await clock.pass(limits.feedIdleMs - 1);
  assert.equal(observed.listeners.length, 1);
  // A poll that is open for longer is no such while.
  const polling = feed.poll({ cursor, waitMs: limits.pollWaitMsMax }, never);
  await clock.pass(limits.pollWaitMsMax);
  assert.equal((await polling).reset, false);
  await clock.pass(limits.feedIdleMs);
  assert.deepEqual([observed.listeners.length, clock.pending], [0, 0]);
  await start("i");
  assert.equal((await feed.poll({ cursor, waitMs: 60_000 }, never)).reset, true);
});

test("another feed's cursor lists anew, one that no feed makes is refused", async () => {
  const cursor = await begin();
  const other = new InstanceFeed(observed.store, clock);
  assert.equal((await other.poll({ cursor, waitMs: 60_000 }, never)).reset, true);
  other.close();
  const invalid = { code: "VALIDATION_ERROR", repeatable: "never" };
  await assert.rejects(feed.poll({ cursor: "nonsense", waitMs: 1 }, never), invalid);
  await assert.rejects(feed.poll({ tenantId: "a\0b", waitMs: 1 }, never), invalid);
  await assert.rejects(feed.poll({ workflow: "a\0b", waitMs: 1 }, never), invalid);
});

test("giving up loses nothing", async () => {
  const cursor = await begin();
  for (const passMs of [0, limits.feedGatherMs / 2]) {
    const giveUp = new AbortController();
    const polling = feed.poll({ cursor, waitMs: 60_000 }, giveUp.signal);
    await start(`i${passMs}`);
    await clock.pass(passMs);
    giveUp.abort();
    assert.deepEqual(await polling, { instances: [], nextCursor: cursor, reset: false });
  }
});

test("a store that fails ends the poll with a retryable error", async () => {
  const cursor = await begin();
  const polling = feed.poll({ cursor, waitMs: 60_000 }, never);
  const failed = assert.rejects(polling, { code: "DATABASE_ERROR", repeatable: "always" });
  await start("i");
  await observed.store.close();
  await clock.pass(limits.feedGatherMs);
  await failed;
});
