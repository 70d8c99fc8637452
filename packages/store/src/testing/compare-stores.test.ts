import assert from "node:assert/strict";
import { test } from "node:test";
import type { Operation, OperationKind, Store } from "@runtara/store";
import { openMemoryStore } from "../memory/memory-store.ts";
import { compareStores, describeDifference } from "./compare-stores.ts";
import { randomOperations } from "./random-operations.ts";
import { bytes } from "./values.ts";

const start = { kind: "startInstance", tenantId: "t", tags: {}, seed: new Uint8Array(16) } as const;

/** Empty, but ids of signals and places of cursors begin elsewhere. */
async function shiftedStore(): Promise<Store> {
  const store = openMemoryStore();
  await store.run({ ...start, instanceId: "gone", nowMs: 1 });
  for (let n = 0; n < 50; n += 1)
    await store.run({ kind: "sendCustomSignal", instanceId: "gone", name: "n", queued: true, nowMs: 1 });
  await store.run({ kind: "controlInstance", instanceId: "gone", order: "kill", nowMs: 2 });
  await store.run({ kind: "removeOld", instancesEndedBeforeMs: 3, limit: 1_000, nowMs: 3 });
  return store;
}

/** A store in memory that answers one kind otherwise than it should. */
function altered(kind: OperationKind, alter: (answer: object) => object): Store {
  return new Proxy<Store>(openMemoryStore(), {
    get(store, name: keyof Store) {
      if (name !== "run") return store[name].bind(store);
      return async (operation: Operation) => {
        const answer = await store.run(operation);
        return operation.kind === kind ? alter(answer) : answer;
      };
    },
  });
}

test("stores that differ in cursors and signal ids alone are equal, also with several operations at once", async () => {
  for (const together of [1, 8]) {
    const stores = [openMemoryStore(), await shiftedStore()];
    const difference = await compareStores(stores, randomOperations(7), { count: 2_000, together });
    assert.equal(difference, undefined, difference && describeDifference(difference));
  }
});

test("the first answer that is unlike is told, with what led there", async () => {
  const lying = altered("readInstance", () => ({ outcome: "unknownInstance" }));
  const operations: Operation[] = [
    { kind: "readInstance", instanceId: "i" },
    { ...start, instanceId: "i", nowMs: 1 },
    { ...start, instanceId: "other", nowMs: 2 },
    { kind: "readInstance", instanceId: "i" },
    { kind: "readInstance", instanceId: "other" },
  ];
  const difference = await compareStores([openMemoryStore(), lying], operations);
  assert.ok(difference !== undefined);
  assert.equal(difference.store, 1);
  assert.equal(difference.operation, operations[3]);
  assert.deepEqual(difference.before, operations.slice(0, 2));
  assert.match(describeDifference(difference), /store 1 answers differently.*startInstance.*→.*readInstance.*unknown/s);
});

test("a signal id that means another signal is a difference", async () => {
  const send = { kind: "sendCustomSignal", instanceId: "i", name: "n", queued: true, payload: bytes("x") } as const;
  let sent = 0;
  const swapping = altered("sendCustomSignal", (answer) => {
    sent += 1;
    return sent === 1 ? answer : { ...answer, signalId: 1_000_000 };
  });
  const difference = await compareStores(
    [openMemoryStore(), swapping],
    [
      { ...start, instanceId: "i", nowMs: 1 },
      { ...send, messageId: "m", nowMs: 2 },
      { ...send, messageId: "m", nowMs: 3 },
    ],
  );
  assert.equal(difference?.operation.kind, "sendCustomSignal");
});

test("the same seed gives the same operations, another seed others", () => {
  const some = (seed: number) => {
    const operations = randomOperations(seed);
    return Array.from({ length: 200 }, () => operations.next());
  };
  assert.deepEqual(some(3), some(3));
  assert.notDeepEqual(some(3), some(4));
});
