import type { Operation, Store } from "@runtara/store";

/** What is measured: makes the next operation of one of the callers, and says which outcome is right. */
export interface Kind {
  readonly name: string;
  /** Puts into the store what the operations need. */
  prepare(store: Store, callers: number): Promise<void>;
  next(caller: number, turn: number): Operation;
  readonly right: string;
}

const state = new Uint8Array(256).fill(97);
const seed = new Uint8Array(16);
const tenantId = "bench";
const foundIds = 64;

function register(instanceId: string): Operation {
  return {
    kind: "registerInstance",
    instanceId,
    tenantId,
    checkTenant: false,
    seed,
    nowMs: Date.now(),
    staleAfterMs: 0,
  };
}

function save(caller: number, checkpointId: string): Operation {
  return { kind: "saveCheckpoint", instanceId: `instance-${caller}`, epoch: 1, checkpointId, state, nowMs: Date.now() };
}

async function registerAll(store: Store, callers: number): Promise<void> {
  await Promise.all(Array.from({ length: callers }, (_, caller) => store.run(register(`instance-${caller}`))));
}

async function saveSome(store: Store, callers: number): Promise<void> {
  await registerAll(store, callers);
  for (let turn = 0; turn < foundIds; turn += 1) {
    await Promise.all(Array.from({ length: callers }, (_, caller) => store.run(save(caller, `step-${turn}`))));
  }
}

/** As many instances as one run can claim, and one worker for each caller. */
async function queueMany(store: Store): Promise<void> {
  const nowMs = Date.now();
  for (let first = 0; first < 60_000; first += 500) {
    const starts = Array.from({ length: 500 }, (_, n) =>
      store.run({
        kind: "startInstance",
        instanceId: `q-${first + n}`,
        tenantId,
        workflow: "w",
        tags: {},
        seed,
        nowMs,
      }),
    );
    await Promise.all(starts);
  }
}

export const kinds: readonly Kind[] = [
  {
    name: "checkpoints",
    prepare: registerAll,
    next: (caller, turn) => save(caller, `step-${turn}`),
    right: "saved",
  },
  {
    name: "found",
    prepare: saveSome,
    next: (caller, turn) => save(caller, `step-${turn % foundIds}`),
    right: "found",
  },
  {
    name: "loads",
    prepare: saveSome,
    next: (caller, turn) => ({
      kind: "loadCheckpoint",
      instanceId: `instance-${caller}`,
      checkpointId: `step-${turn % foundIds}`,
    }),
    right: "found",
  },
  {
    name: "registrations",
    prepare: async () => {},
    next: (caller, turn) => register(`instance-${caller}-${turn}`),
    right: "registered",
  },
  {
    name: "events",
    prepare: registerAll,
    next: (caller) => ({
      kind: "appendEvent",
      instanceId: `instance-${caller}`,
      epoch: 1,
      type: "custom",
      subtype: "bench",
      payload: state,
      createdAtMs: Date.now(),
      nowMs: Date.now(),
    }),
    right: "stored",
  },
  {
    name: "claims",
    prepare: queueMany,
    next: (caller, turn) => ({
      kind: "claimWork",
      workerId: `worker-${caller}`,
      tenantId,
      offers: [{ name: "w", versions: [] }],
      capacity: 1,
      received: turn,
      leaseMs: 600_000,
      runningMax: 0,
      bytesMax: 1_000_000,
      nowMs: Date.now(),
    }),
    right: "claimed",
  },
];
