import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { StoreError } from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";
import type { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { type InstanceSignals, Liveness, type SignalInterest, SignalWaiter } from "./index.ts";
import { disturbedStore } from "./testing/disturbed-store.ts";
import { FakeClock, settled } from "./testing/fake-clock.ts";

const seed = new Uint8Array(16);

function useWaiter(t: TestContext) {
  const clock = new FakeClock();
  const store = openMemoryStore();
  const state = { failing: false };
  const reads: number[] = [];
  const counted = disturbedStore(store, (kind) => {
    if (kind === "readSignals") reads.push(clock.now());
    return state.failing ? new StoreError("BUSY", "locked") : undefined;
  });
  const waiter = new SignalWaiter({ store: counted, clock });
  let revision = 0;
  t.after(async () => {
    waiter.close();
    await store.close();
    assert.equal(clock.pending, 0);
  });
  return {
    clock,
    store,
    waiter,
    reads,
    state,
    register: (...ids: string[]) =>
      Promise.all(
        ids.map((instanceId) => {
          const registration = { instanceId, tenantId: "t", checkTenant: false, seed, staleAfterMs: 0 };
          return store.run({ kind: "registerInstance", ...registration, nowMs: clock.now() });
        }),
      ),
    send: async (instanceId: string, name: string) => {
      await store.run({ kind: "sendCustomSignal", instanceId, name, payload: seed, queued: true, nowMs: clock.now() });
      await settled();
    },
    wait(connection: object, interests: Partial<SignalInterest>[], more: { revision?: number; waitMs?: number } = {}) {
      const answer: { instances?: readonly InstanceSignals[]; error?: CoreError } = {};
      revision += 1;
      const usual = { instanceId: "a", epoch: 1, names: ["n"], afterSignalId: 0, ended: false };
      const poll = waiter.wait(
        connection,
        {
          revision: more.revision ?? revision,
          interests: interests.map((one) => ({ ...usual, ...one })),
          replacesAll: false,
          waitMs: more.waitMs ?? 0,
        },
        (error, instances) => {
          if (error === undefined) answer.instances = instances;
          else answer.error = error;
        },
      );
      return {
        poll,
        answer,
        get ids() {
          return answer.instances?.map(({ instanceId }) => instanceId);
        },
      };
    },
  };
}

test("I6: a wait is answered with what is there, at once or when it comes, and again until the client has it", async (t) => {
  const { register, send, wait } = useWaiter(t);
  await register("a", "b");
  const connection = {};
  const first = wait(connection, [{}, { instanceId: "b" }]);
  await send("a", "other");
  assert.equal(first.ids, undefined);
  await send("b", "n");
  assert.deepEqual(first.ids, ["b"]);
  const again = wait(connection, []);
  await settled();
  assert.deepEqual(again.ids, ["b"]);
  const afterSignalId = again.answer.instances?.[0]?.queued[0]?.signalId ?? 0;
  const next = wait(connection, [{ instanceId: "b", afterSignalId }]);
  await settled();
  assert.equal(next.ids, undefined);
  await send("a", "n");
  assert.deepEqual(next.ids, ["a"]);
});

test("signals to whole instances are told until they are seen", async (t) => {
  const { clock, store, register, wait } = useWaiter(t);
  await register("a");
  const connection = {};
  const asked = wait(connection, [{ names: [] }]);
  await settled();
  await store.run({ kind: "sendSignal", instanceId: "a", signal: "pause", nowMs: clock.now() });
  await settled();
  assert.equal(asked.answer.instances?.[0]?.signal?.type, "pause");
  const seen = wait(connection, [{ names: [], seenSignal: "pause" }]);
  await settled();
  assert.equal(seen.ids, undefined);
  await store.run({ kind: "sendSignal", instanceId: "a", signal: "cancel", nowMs: clock.now() });
  await settled();
  assert.equal(seen.answer.instances?.[0]?.signal?.type, "cancel");
});

test("I5: an instance that was taken over, killed or is unknown is told as fenced once, and forgotten", async (t) => {
  const { clock, store, register, wait } = useWaiter(t);
  await register("a", "b");
  const connection = {};
  const unknown = wait(connection, [{}, { instanceId: "b" }, { instanceId: "unknown" }]);
  await settled();
  assert.deepEqual(unknown.answer.instances, [{ instanceId: "unknown", fenced: true, signal: undefined, queued: [] }]);
  const taken = wait(connection, []);
  await register("a");
  await settled();
  assert.deepEqual([taken.ids, taken.answer.instances?.[0]?.fenced], [["a"], true]);
  const killed = wait(connection, []);
  await store.run({ kind: "controlInstance", instanceId: "b", order: "kill", nowMs: clock.now() });
  await settled();
  assert.deepEqual([killed.ids, killed.answer.instances?.[0]?.fenced], [["b"], true]);
  const nothing = wait(connection, []);
  await settled();
  assert.equal(nothing.ids, undefined);
});

test("R7: one poll is open per connection; a later one takes over, whichever arrives first", async (t) => {
  const { register, send, wait } = useWaiter(t);
  await register("a", "b");
  const connection = {};
  const [earlier, elsewhere] = [wait(connection, [{}], { revision: 1 }), wait({}, [{}])];
  await settled();
  const later = wait(connection, [], { revision: 3 });
  assert.deepEqual([earlier.ids, later.ids, elsewhere.ids], [[], undefined, undefined]);
  const overtaken = wait(connection, [{ instanceId: "b" }], { revision: 2 });
  assert.deepEqual([overtaken.ids, later.ids], [[], undefined]);
  await send("b", "n");
  assert.deepEqual([later.ids, elsewhere.ids], [["b"], undefined]);
  await send("a", "n");
  assert.deepEqual(elsewhere.ids, ["a"]);
});

test("time, drain and a closed connection end a poll", async (t) => {
  const { clock, waiter, register, send, wait } = useWaiter(t);
  await register("a");
  const connections = [{}, {}, {}];
  const polls = connections.map((connection, index) => wait(connection, [{}], { waitMs: [100, 0, 1e9][index] ?? 0 }));
  await clock.pass(100);
  assert.deepEqual(
    polls.map(({ ids }) => ids),
    [[], undefined, undefined],
  );
  waiter.forget(connections[1] ?? {});
  await clock.pass(limits.pollWaitMsMax - 101);
  assert.equal(polls[2]?.ids, undefined);
  waiter.drain();
  assert.deepEqual(polls[2]?.ids, []);
  assert.equal(polls[1]?.ids, undefined, "nobody is there to be answered");
  await send("a", "n");
  assert.deepEqual(wait({}, [{}]).ids, []);
});

test("instances without news cost one read, however many they are and however long the wait is", async (t) => {
  const { clock, reads, register, send, wait } = useWaiter(t);
  const ids = Array.from({ length: 2 * limits.interestsPerRead + 1 }, (_, n) => `i${n}`);
  await register(...ids);
  const connection = {};
  const interests = ids.map((instanceId) => ({ instanceId }));
  const poll = wait(connection, interests, { waitMs: limits.pollWaitMsMax });
  await clock.pass(limits.pollWaitMsMax - 1);
  assert.equal(reads.length, 3);
  await send("i7", "n");
  assert.deepEqual(poll.ids, ["i7"]);
  assert.equal(reads.length, 4);
});

test("nobody waits behind an instance that always has news", async (t) => {
  const { register, send, wait } = useWaiter(t);
  const ids = Array.from({ length: limits.interestsPerRead + 1 }, (_, n) => `i${n}`);
  await register(...ids);
  const connection = {};
  await send("i0", "n");
  const first = wait(
    connection,
    ids.map((instanceId) => ({ instanceId })),
  );
  await settled();
  assert.deepEqual(first.ids, ["i0"]);
  await send(ids.at(-1) ?? "", "n");
  const second = wait(connection, []);
  await settled();
  assert.ok(second.ids?.includes(ids.at(-1) ?? ""));
});

test("a store that fails is told, and the next poll reads what this one could not", async (t) => {
  const { register, send, wait, state } = useWaiter(t);
  await register("a");
  const connection = {};
  state.failing = true;
  const failed = wait(connection, [{}]);
  await settled();
  assert.equal(failed.answer.error?.code, "DATABASE_ERROR");
  state.failing = false;
  await send("a", "n");
  const next = wait(connection, []);
  await settled();
  assert.deepEqual(next.ids, ["a"]);
});

test("I10: a poll beyond the bounds is refused, and the one that is open stays open", async (t) => {
  const { register, send, wait } = useWaiter(t);
  await register("a");
  const connection = {};
  const open = wait(connection, [{}]);
  const many = Array.from({ length: limits.interestsPerConnectionMax }, (_, n) => ({ instanceId: `i${n}` }));
  assert.equal(wait(connection, many).answer.error?.code, "VALIDATION_ERROR");
  await send("a", "n");
  assert.deepEqual(open.ids, ["a"]);
});

test("R6: instances that an open poll waits for count as heard, and so do those of a connection that just closed", async (t) => {
  const clock = new FakeClock();
  const store = openMemoryStore();
  const liveness = new Liveness({ store, clock, staleAfterMs: 40_000 });
  const waiter = new SignalWaiter({ store, clock, liveness });
  t.after(async () => {
    waiter.close();
    await liveness.stop();
    await store.close();
  });
  const registration = { instanceId: "a", tenantId: "t", checkTenant: false, seed, staleAfterMs: 40_000 };
  await store.run({ kind: "registerInstance", ...registration, nowMs: clock.now() });
  const connection = {};
  const interests = [{ instanceId: "a", epoch: 1, names: [], afterSignalId: 0, ended: false }];
  waiter.wait(connection, { revision: 1, interests, replacesAll: false, waitMs: 100_000 }, () => {});
  const silentMs = async () => {
    const read = await store.run({ kind: "readInstance", instanceId: "a" });
    return clock.now() - ((read.outcome === "found" && read.instance.lastSeenAtMs) || 0);
  };
  await clock.pass(95_000);
  assert.ok((await silentMs()) <= 10_000);
  waiter.forget(connection);
  const closedMs = clock.now();
  await clock.pass(limits.touchFlushMs);
  assert.ok((await silentMs()) <= clock.now() - closedMs);
  await clock.pass(100_000);
  assert.ok((await silentMs()) >= 100_000);
});
