import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { StoreError } from "@runtara/store";
import { limits } from "../limits.ts";
import { onEachDatabase } from "../testing/each-database.ts";
import { disturbedStore } from "../timers/testing/disturbed-store.ts";
import { FakeClock, settled } from "../timers/testing/fake-clock.ts";
import { WorkService } from "./index.ts";
import { claim, start } from "./testing/test-work.ts";

onEachDatabase((open) => {
  async function useWork(t: TestContext, runningMax = 0) {
    const clock = new FakeClock();
    const database = await open();
    const { store } = database;
    const work = new WorkService({ store, clock, runningMax });
    t.after(async () => {
      await work.close();
      await database.close();
      assert.equal(clock.pending, 0, "nothing of the queue is left behind");
    });
    return { clock, store, work };
  }

  test("a claim is answered at once if there is work, else as soon as there is", async (t) => {
    const { work } = await useWork(t);
    await start(work, "a");
    const first = claim(work, {});
    await settled();
    assert.deepEqual(first.ids, ["a"]);
    const second = claim(work, {}, { workerId: "w2" });
    await settled();
    assert.equal(second.ids, undefined);
    await start(work, "b");
    assert.deepEqual(second.ids, ["b"]);
    assert.equal(second.response?.work[0]?.facts.epoch, 1);
  });

  test("I7: planned starts are met to the millisecond, in the order of their times", async (t) => {
    const { clock, store, work } = await useWork(t);
    const delays = [5_000, 61_000, 4_000, 200_000];
    const plannedMs = new Map(delays.map((delayMs) => [`after ${delayMs}`, clock.now() + delayMs]));
    for (const [instanceId, startAtMs] of plannedMs) await start(work, instanceId, { startAtMs });
    const claims = delays.map((_, index) =>
      claim(work, {}, { workerId: `w${index}`, waitMs: limits.pollWaitMsMax, leaseMs: limits.leaseMsMax }),
    );
    await clock.pass(250_000);
    assert.deepEqual(
      claims.flatMap(({ ids }) => ids ?? []),
      ["after 4000", "after 5000", "after 61000", "after 200000"],
    );
    for (const [instanceId, startAtMs] of plannedMs) {
      const read = await store.run({ kind: "readInstance", instanceId });
      assert.equal(read.outcome === "found" && read.instance.startedAtMs, startAtMs);
    }
  });

  test("the claim that has waited longest is served first, and connections take turns", async (t) => {
    const { work } = await useWork(t);
    const connections = [{}, {}, {}];
    const served: number[] = [];
    let open = connections.map((connection, index) => claim(work, connection, { workerId: `w${index}` }));
    for (let n = 0; n < 9; n += 1) {
      await start(work, `i${n}`);
      const index = open.findIndex(({ ids }) => ids !== undefined);
      served.push(index);
      open = open.with(index, claim(work, connections[index] ?? {}, { workerId: `w${index}`, received: 99 }));
      // It has found nothing, and waits behind the others.
      await settled();
    }
    assert.deepEqual(served, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
  });

  test("many at once go to all that wait, as far as their capacities reach", async (t) => {
    const { work } = await useWork(t);
    const claims = [4, 1, 0, 3].map((capacity, index) => claim(work, {}, { workerId: `w${index}`, capacity }));
    await settled();
    for (let n = 0; n < 9; n += 1) {
      const request = { instanceId: `i${n}`, tenantId: "t", workflow: "w", version: "1", tags: {} };
      work.start(request, () => {});
    }
    await settled();
    assert.deepEqual(
      claims.map(({ ids }) => ids?.length),
      [4, 1, undefined, 3],
    );
  });

  test("a worker gets what it offers: tenant, workflow, one of its versions or none", async (t) => {
    const { work } = await useWork(t);
    const other = claim(work, {}, { workerId: "other tenant", tenantId: "t2" });
    const old = claim(work, {}, { workerId: "old", offers: [{ name: "w", versions: ["0"] }], capacity: 9 });
    const both = claim(work, {}, { workerId: "both", offers: [{ name: "w", versions: ["1", "0"] }], capacity: 9 });
    await settled();
    await start(work, "new");
    assert.deepEqual([other.ids, old.ids, both.ids], [undefined, undefined, ["new"]]);
    await start(work, "unbound", { version: undefined });
    assert.deepEqual(old.ids, ["unbound"]);
    await start(work, "another", { workflow: "x" });
    await start(work, "theirs", { tenantId: "t2" });
    assert.deepEqual(other.ids, ["theirs"]);
  });

  test("one claim is open per connection: a later one takes over, and the earlier is answered empty", async (t) => {
    const { work } = await useWork(t);
    const connection = {};
    const [earlier, elsewhere] = [claim(work, connection), claim(work, {}, { workerId: "w2" })];
    await settled();
    const later = claim(work, connection, { received: 7 });
    assert.deepEqual(earlier.response, { sequence: 0, work: [], leaseUntilMs: 0 });
    await settled();
    assert.deepEqual([later.ids, elsewhere.ids], [undefined, undefined]);
    await start(work, "a");
    await start(work, "b");
    assert.deepEqual([elsewhere.ids, later.ids], [["a"], ["b"]]);
  });

  test("without work a claim is answered empty when its time is up, and at once when the server drains", async (t) => {
    const { clock, work } = await useWork(t);
    const claims = [0, 100, 1e9].map((waitMs, index) => claim(work, {}, { workerId: `w${index}`, waitMs }));
    const answered = () => claims.map(({ ids }) => ids !== undefined);
    await clock.pass(100);
    assert.deepEqual(answered(), [false, true, false]);
    await clock.pass(limits.pollWaitMs);
    assert.deepEqual(answered(), [true, true, false]);
    work.drain();
    assert.deepEqual(answered(), [true, true, true]);
    await start(work, "a");
    const late = claim(work, {});
    assert.deepEqual(late.ids, []);
    for (const { response, error } of claims) assert.deepEqual([response?.work, error], [[], undefined]);
  });

  test("I8: work whose answer was lost comes again with the same epoch, also through another service", async (t) => {
    const { store, clock, work } = await useWork(t);
    const connection = {};
    const lost = claim(work, connection);
    await start(work, "a");
    assert.deepEqual([lost.ids, lost.response?.sequence], [["a"], 1]);
    const aborted = claim(work, connection, { received: 1 });
    const starting = start(work, "b");
    aborted.poll.abandon();
    await starting;
    work.forget(connection);
    assert.equal(aborted.ids, undefined);
    const elsewhere = new WorkService({ store, clock });
    t.after(() => elsewhere.close());
    const again = claim(elsewhere, {}, { received: 0 });
    await settled();
    assert.deepEqual(again.ids?.toSorted(), ["a"]);
    assert.equal(again.response?.work[0]?.facts.epoch, 1);
    const next = claim(elsewhere, {}, { received: 1 });
    await settled();
    assert.deepEqual(next.ids, ["b"]);
  });

  test("R2: no more instances run than may, on all services together; room that is made is used", async (t) => {
    const { store, clock, work } = await useWork(t, 2);
    const other = new WorkService({ store, clock, runningMax: 2 });
    t.after(() => other.close());
    for (const instanceId of ["a", "b", "c", "d"]) await start(work, instanceId);
    const here = claim(work, {}, { workerId: "w1", capacity: 9 });
    await settled();
    assert.deepEqual(here.ids, ["a", "b"]);
    const there = claim(other, {}, { workerId: "w2", capacity: 9 });
    await clock.pass(1_000);
    assert.equal(there.ids, undefined);
    await store.run({
      kind: "appendEvent",
      instanceId: "a",
      type: "completed",
      createdAtMs: clock.now(),
      nowMs: clock.now(),
    });
    await clock.pass(limits.heldBackMs);
    assert.deepEqual(there.ids, ["c"]);
  });

  test("a store that fails is told to the claim that met it; the others wait on and are served after", async (t) => {
    const { clock, store } = await useWork(t);
    let failing = true;
    const disturbed = disturbedStore(store, (kind) =>
      failing && kind === "claimWork" ? new StoreError("UNAVAILABLE", "gone") : undefined,
    );
    const work = new WorkService({ store: disturbed, clock });
    t.after(() => work.close());
    const [first, second] = [claim(work, {}), claim(work, {}, { workerId: "w2" })];
    await settled();
    assert.deepEqual([first.error?.code, first.error?.repeatable], ["DATABASE_ERROR", "always"]);
    assert.equal(second.error, undefined);
    failing = false;
    await start(work, "a");
    assert.equal(second.ids, undefined, "the store has its rest first");
    await clock.pass(limits.troubleDelayMs);
    assert.deepEqual(second.ids, ["a"]);
  });

  test("I10: what is wrong with a claim is said, and nothing is claimed", async (t) => {
    const { work } = await useWork(t);
    await start(work, "a");
    const wrong = [
      { workerId: "" },
      { tenantId: "t\0" },
      { leaseMs: 999 },
      { leaseMs: 300_001 },
      { offers: [{ name: "", versions: [] }] },
      { offers: [{ name: "w", versions: [""] }] },
      { offers: [{ name: "w", versions: Array<string>(limits.versionsMax + 1).fill("1") }] },
      { offers: Array(limits.offersMax + 1).fill({ name: "w", versions: [] }) },
    ];
    const errors = wrong.map((more) => claim(work, {}, more).error);
    for (const error of errors) assert.equal(error?.code, "VALIDATION_ERROR");
    assert.match(errors[2]?.message ?? "", /lease_ms must be 0 \(the default\) or 1000 to 300000, got 999/);
    const right = claim(work, {});
    await settled();
    assert.deepEqual(right.ids, ["a"]);
  });
});
