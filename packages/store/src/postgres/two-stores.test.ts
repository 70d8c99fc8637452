import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Notice, Operation, Store } from "@runtara/store";
import fc from "fast-check";
import { administer, type TestDatabase, testDatabase } from "../testing/postgres-server.ts";
import { openPostgresStore } from "./index.ts";
import { locationOf } from "./postgres.test.helper.ts";

const seed = new Uint8Array(16);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (state: Uint8Array): string => new TextDecoder().decode(state);

describe("two stores on one PostgreSQL database", () => {
  let database: TestDatabase;
  let stores: readonly Store[] = [];
  let name = 0;

  before(async () => {
    database = await testDatabase();
    stores = await Promise.all([0, 1].map(() => openPostgresStore(locationOf(database.url))));
  });
  beforeEach(() => {
    name += 1;
  });
  after(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await database[Symbol.asyncDispose]();
  });

  function store(index: number): Store {
    const found = stores[index % stores.length];
    if (found === undefined) throw new Error("no store is open");
    return found;
  }

  function ids(count: number): string[] {
    return Array.from({ length: count }, (_, index) => `${name}-${index}`);
  }

  async function register(index: number, instanceId: string): Promise<number> {
    const result = await store(index).run({
      kind: "registerInstance",
      instanceId,
      tenantId: "t",
      checkTenant: false,
      seed,
      nowMs: 1,
      staleAfterMs: 0,
    });
    assert.equal(result.outcome, "registered");
    return result.outcome === "registered" ? result.facts.epoch : 0;
  }

  async function start(index: number, instanceId: string, nowMs = 1): Promise<string> {
    const { outcome } = await store(index).run({
      kind: "startInstance",
      instanceId,
      tenantId: "t",
      workflow: `w${name}`,
      tags: {},
      seed,
      nowMs,
    });
    return outcome;
  }

  async function claim(index: number, workerId: string, capacity: number, nowMs: number, received = 0) {
    return await store(index).run({
      kind: "claimWork",
      workerId,
      tenantId: "t",
      offers: [{ name: `w${name}`, versions: [] }],
      capacity,
      received,
      leaseMs: 5_000,
      runningMax: 0,
      bytesMax: 1_000_000,
      nowMs,
    });
  }

  test("I2: of concurrent first saves exactly one is told saved, all others get its bytes", async () => {
    const instances = ids(6);
    for (const instance of instances) await register(0, instance);
    const calls = fc.array(fc.record({ at: fc.nat(1), instance: fc.nat(5), id: fc.nat(9) }), {
      minLength: 20,
      maxLength: 60,
    });
    let round = 0;
    const property = fc.asyncProperty(calls, async (list) => {
      round += 1;
      const told = await Promise.all(
        list.map(async ({ at, instance, id }, index) => {
          const instanceId = instances[instance] ?? "";
          const checkpointId = `${round}-${id}`;
          const state = bytes(`${at} ${index}`);
          const result = await store(at).run({ kind: "saveCheckpoint", instanceId, checkpointId, state, nowMs: 2 });
          assert.ok(result.outcome === "saved" || result.outcome === "found", result.outcome);
          return {
            key: `${instanceId} ${checkpointId}`,
            saved: result.outcome === "saved",
            state: textOf(result.outcome === "saved" ? state : result.state),
          };
        }),
      );
      for (const group of Map.groupBy(told, ({ key }) => key).values()) {
        assert.equal(group.filter(({ saved }) => saved).length, 1);
        assert.equal(new Set(group.map(({ state }) => state)).size, 1);
      }
    });
    await fc.assert(property, { numRuns: 40 });
  });

  test("I5: every registration has an epoch of its own, and only the last one's writes are taken", async () => {
    const [instanceId = ""] = ids(1);
    const epochs = await Promise.all(Array.from({ length: 20 }, (_, index) => register(index, instanceId)));
    assert.deepEqual(
      epochs.toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    const outcomes = await Promise.all(
      epochs.map((epoch, index) =>
        store(index).run({
          kind: "saveCheckpoint",
          instanceId,
          epoch,
          checkpointId: `${epoch}`,
          state: seed,
          nowMs: 2,
        }),
      ),
    );
    for (const [index, result] of outcomes.entries()) {
      assert.equal(result.outcome, epochs[index] === 20 ? "saved" : "fenced");
    }
  });

  test("a start is told created exactly once, whoever asks", async () => {
    const instances = ids(20);
    const outcomes = await Promise.all(instances.flatMap((id) => [0, 1, 0, 1].map((index) => start(index, id))));
    assert.equal(outcomes.filter((outcome) => outcome === "created").length, instances.length);
    assert.equal(outcomes.filter((outcome) => outcome === "attached").length, 3 * instances.length);
  });

  test("I7: each ready instance goes to one claimer", async () => {
    const instances = ids(100);
    await Promise.all(instances.map((id, index) => start(index, id)));
    const claimed: string[] = [];
    const workers = Array.from({ length: 6 }, async (_, worker) => {
      for (let received = 0; ; ) {
        const { work, sequence } = await claim(worker, `${name}-${worker}`, 7, 10, received);
        if (work.length === 0) return;
        received = sequence;
        claimed.push(...work.map(({ instanceId }) => instanceId));
      }
    });
    await Promise.all(workers);
    assert.equal(claimed.length, instances.length);
    assert.deepEqual(claimed.toSorted(), instances.toSorted());
  });

  test("I5: after the end of its lease another process takes the work, and the first one is fenced", async () => {
    const [instanceId = ""] = ids(1);
    await start(0, instanceId);
    const first = await claim(0, `${name}-a`, 1, 10);
    const early = await claim(1, `${name}-b`, 1, 4_000);
    assert.deepEqual(early.work, []);
    assert.equal(early.nextReadyAtMs, first.leaseUntilMs);
    const second = await claim(1, `${name}-b`, 1, first.leaseUntilMs);
    assert.equal(second.work[0]?.facts.epoch, (first.work[0]?.facts.epoch ?? 0) + 1);
    const late = {
      kind: "saveCheckpoint",
      instanceId,
      epoch: 1,
      checkpointId: "c",
      state: seed,
      nowMs: 6_000,
    } as const;
    assert.deepEqual(await store(0).run(late), { outcome: "fenced", epoch: 2 });
    const renewed = await store(0).run({ kind: "renewLease", workerId: `${name}-a`, leaseMs: 5_000, nowMs: 6_000 });
    assert.deepEqual(renewed.lost, [instanceId]);
  });

  test("I6: a queued signal is taken by exactly one call", async () => {
    const [instanceId = ""] = ids(1);
    await register(0, instanceId);
    const sent = Array.from({ length: 40 }, (_, index) => `${index}`);
    const sends = sent.map((text, index) =>
      store(index).run({
        kind: "sendCustomSignal",
        instanceId,
        name: "n",
        payload: bytes(text),
        queued: true,
        nowMs: 2,
      }),
    );
    const polls = async (index: number): Promise<string[]> => {
      const result = await store(index).run({ kind: "pollSignals", instanceId, checkpointId: "n", nowMs: 3 });
      return result.outcome === "polled" && result.custom !== undefined ? [textOf(result.custom.payload)] : [];
    };
    const during = await Promise.all(sent.map((_, index) => polls(index)));
    await Promise.all(sends);
    const rest = await Promise.all(sent.map((_, index) => polls(index)));
    assert.deepEqual([...during, ...rest].flat().toSorted(), sent.toSorted());
  });

  test("random operations of both on the same instances never fail", async () => {
    const instances = ids(8);
    const operation = fc.record({
      at: fc.nat(1),
      instance: fc.nat(7),
      other: fc.nat(7),
      kind: fc.nat(9),
      id: fc.nat(5),
    });
    const property = fc.asyncProperty(fc.array(operation, { minLength: 40, maxLength: 80 }), async (list) => {
      await Promise.all(
        list.map(({ at, instance, other, kind, id }) =>
          store(at).run(randomOperation(instances[instance] ?? "", instances[other] ?? "", kind, id)),
        ),
      );
    });
    await fc.assert(property, { numRuns: 30 });
  });

  test("what one process commits wakes the other: signals, work and ends", async () => {
    const [instanceId = ""] = ids(1);
    const listening = Promise.withResolvers<void>();
    const heard = Promise.withResolvers<void>();
    const wanted = new Set(["work", "signal", "instance"]);
    const stop = store(1).watch((notice: Notice) => {
      // Listening begins with a notice that anything may have happened; what is written after it is told one by one.
      if (notice.topic === "anything") listening.resolve();
      if ("instanceId" in notice && notice.instanceId !== instanceId) return;
      wanted.delete(notice.topic);
      if (wanted.size === 0) heard.resolve();
    });
    await listening.promise;
    await start(0, instanceId);
    await store(0).run({ kind: "sendSignal", instanceId, signal: "pause", nowMs: 2 });
    await store(0).run({ kind: "controlInstance", instanceId, order: "resume", nowMs: 3 });
    await register(0, instanceId);
    await store(0).run({ kind: "controlInstance", instanceId, order: "kill", nowMs: 4 });
    await heard.promise;
    stop();
  });

  test("none of these met a deadlock: rows are locked in one order", async () => {
    // A connection reports what it has met when it ends.
    await Promise.all(stores.map((each) => each.close()));
    const count = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert.deepEqual(await administer(database.url, count), [["0"]]);
  });
});

function randomOperation(instanceId: string, other: string, kind: number, id: number): Operation {
  const checkpointId = `c${id}`;
  const state = seed;
  const tenantId = "t";
  switch (kind) {
    case 0:
      return { kind: "registerInstance", instanceId, tenantId, checkTenant: false, seed, nowMs: 5, staleAfterMs: 0 };
    case 1:
      return { kind: "appendEvent", instanceId, type: "suspended", createdAtMs: 5, nowMs: 5 };
    case 2:
      return { kind: "sendCustomSignal", instanceId, name: checkpointId, queued: id % 2 === 0, nowMs: 5 };
    case 3:
      return { kind: "recordRetry", instanceId, checkpointId, attempt: id, nowMs: 5 };
    case 4: {
      const parent = { instanceId: other, epoch: 1, resultSignal: "r", detached: false };
      return { kind: "startInstance", instanceId, tenantId, tags: {}, seed, parent, nowMs: 5 };
    }
    case 5:
      return { kind: "touchInstances", seen: [instanceId, other].map((each) => ({ instanceId: each, atMs: 5 })) };
    case 6:
      return { kind: "fireDue", nowMs: 5, staleAfterMs: 1, limit: 10 };
    case 7:
      return { kind: "settleEnded", nowMs: 5, limit: 10 };
    case 8:
      return { kind: "sendSignal", instanceId, signal: "pause", nowMs: 5 };
    default:
      return { kind: "saveCheckpoint", instanceId, checkpointId, state, nowMs: 5 };
  }
}
