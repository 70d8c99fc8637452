// `node fill-store.ts DATABASE_URL INSTANCES CHECKPOINTS`: a store as after months: so many instances, nine of ten of them completed,
// and their checkpoints of 256 B. Straight into the store, because this is not what is measured.
import { randomBytes } from "node:crypto";
import { type OperationKind, type OperationOf, openStore, type Store } from "@runtara/store";

const flushEvery = 512;
const openShare = 10;

const [url = "", instances = "0", checkpoints = "0"] = process.argv.slice(2);
const store = await openStore(url);
const instanceCount = Number(instances);
const perInstance = Math.max(1, Math.round(Number(checkpoints) / Math.max(1, instanceCount)));
const state = new Uint8Array(256).fill(0x5a);
const bornMs = Date.now() - 30 * 86_400_000;

for (let first = 0; first < instanceCount; first += flushEvery) {
  const numbers = Array.from({ length: Math.min(flushEvery, instanceCount - first) }, (_, index) => first + index);
  await all(store, numbers.map(registered));
  for (let number = 0; number < perInstance; number++) {
    await all(
      store,
      numbers.map((index) => saved(index, number)),
    );
  }
  await all(store, numbers.filter((index) => index % openShare !== 0).map(completed));
}
await store.close();

function registered(index: number): OperationOf<"registerInstance"> {
  return {
    kind: "registerInstance",
    instanceId: `stored-${index}`,
    tenantId: `tenant-${index % 100}`,
    checkTenant: false,
    seed: randomBytes(16),
    nowMs: bornMs + index,
    staleAfterMs: 0,
  };
}

function saved(index: number, number: number): OperationOf<"saveCheckpoint"> {
  return {
    kind: "saveCheckpoint",
    instanceId: `stored-${index}`,
    checkpointId: `step-${number}`,
    state,
    nowMs: bornMs + index,
  };
}

function completed(index: number): OperationOf<"appendEvent"> {
  const nowMs = bornMs + index;
  return { kind: "appendEvent", instanceId: `stored-${index}`, type: "completed", createdAtMs: nowMs, nowMs };
}

/** One flush, and all of its answers. */
async function all<K extends OperationKind>(target: Store, operations: readonly OperationOf<K>[]): Promise<void> {
  await Promise.all(operations.map((operation) => target.run(operation)));
}
