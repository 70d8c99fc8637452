// `node fill-store.ts DATABASE_URL INSTANCES CHECKPOINTS`: a store as after months: so many instances, nine of ten of them completed,
// and their checkpoints of 256 B. Straight into the store, because this is not what is measured.
import { randomBytes } from "node:crypto";
import { type OperationOf, openStore, type Store } from "@runtara/store";

/** Instances whose operations are under way together: enough for whole transactions of the store, few enough for its queue. */
const instancesAtOnce = 2_048;
const tellEvery = 100_000;
const openShare = 10;
const accepted: ReadonlySet<string> = new Set(["registered", "saved", "stored"]);

const [url = "", instances = "0", checkpoints = "0"] = process.argv.slice(2);
const store = await openStore(url);
const instanceCount = Number(instances);
const perInstance = Math.max(1, Math.round(Number(checkpoints) / Math.max(1, instanceCount)));
const state = new Uint8Array(256).fill(0x5a);
const bornMs = Date.now() - 30 * 86_400_000;

for (let first = 0; first < instanceCount; first += instancesAtOnce) {
  await storeSome(store, first, Math.min(first + instancesAtOnce, instanceCount));
  const [before, now] = [first, first + instancesAtOnce].map((count) => Math.floor(count / tellEvery));
  if (before !== now) process.stderr.write(`full-store: ${first + instancesAtOnce} instances stored\n`);
}
await store.close();

/** All at once: the store carries out the operations of one instance in the order in which they come. */
async function storeSome(target: Store, first: number, end: number): Promise<void> {
  const answers: Promise<{ readonly outcome: string }>[] = [];
  for (let index = first; index < end; index++) answers.push(target.run(registered(index)));
  for (let index = first; index < end; index++) answers.push(target.run(saved(index)));
  for (let index = first; index < end; index++) if (index % openShare !== 0) answers.push(target.run(completed(index)));
  const refused = (await Promise.all(answers)).find(({ outcome }) => !accepted.has(outcome));
  if (refused !== undefined) throw new Error(`an operation was answered ${refused.outcome}`);
}

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

function saved(index: number): OperationOf<"saveBatch"> {
  const entries = Array.from({ length: perInstance }, (_, number) => ({ checkpointId: `step-${number}`, state }));
  const nowMs = bornMs + index;
  return { kind: "saveBatch", instanceId: `stored-${index}`, epoch: 1, entries, messages: [], nowMs };
}

function completed(index: number): OperationOf<"appendEvent"> {
  const nowMs = bornMs + index;
  return { kind: "appendEvent", instanceId: `stored-${index}`, type: "completed", createdAtMs: nowMs, nowMs };
}
