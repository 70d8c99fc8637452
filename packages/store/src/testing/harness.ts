import { afterEach, beforeEach } from "node:test";
import type {
  AppendEvent,
  AppendEventResult,
  BeginSleepResult,
  ClaimWork,
  ClaimWorkResult,
  ControlInstance,
  ControlInstanceResult,
  FireDue,
  FireDueResult,
  HistoryEntry,
  Instance,
  LoadCheckpointResult,
  OperationKind,
  OperationOf,
  PollSignalsResult,
  RegisterInstance,
  RegisterInstanceResult,
  ResultOf,
  SaveCheckpoint,
  SaveCheckpointResult,
  SendCustomSignal,
  SendCustomSignalResult,
  SendSignal,
  SendSignalResult,
  SettleEndedResult,
  SignalType,
  StartInstance,
  StartInstanceResult,
  Store,
  StoredEvent,
  SuspendUntil,
  SuspendUntilResult,
} from "@runtara/store";
import { bytes } from "./values.ts";

/** One empty database of an engine, for one test. */
export interface StoreHarness {
  /** Opens the database; called again, it opens the same one, beside what is open or after all has been closed. */
  open(): Promise<Store>;
  /** Removes the database. All stores have been closed before. */
  dispose(): Promise<void>;
}

export type CreateHarness = () => Promise<StoreHarness>;

/** What a test may set of an operation. */
export type More<Operation> = Partial<Omit<Operation, "kind">>;

/** The store of the current test, and shorthands for what nearly every test does. Their times are 1 unless a test sets them. */
export interface TestStore {
  readonly store: Store;
  /** Another opening of the same database. */
  open(): Promise<Store>;
  /** Closes what is open and opens the database anew. */
  reopen(): Promise<void>;
  run<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf[K]>;
  /** Tenant "t", never lost by silence. */
  register(instanceId: string, more?: More<RegisterInstance>): Promise<RegisterInstanceResult>;
  /** Tenant "t", no workflow: no worker can claim it. */
  start(instanceId: string, more?: More<StartInstance>): Promise<StartInstanceResult>;
  /** As `start`, with workflow "w" of version "1". */
  queue(instanceId: string, more?: More<StartInstance>): Promise<StartInstanceResult>;
  /** Tenant "t", workflow "w" of version "1", ten at most, a lease of 5,000 ms. */
  claim(workerId: string, more?: More<ClaimWork>): Promise<ClaimWorkResult>;
  /** Queues it and has it claimed by `workerId`. */
  claimed(instanceId: string, workerId: string, more?: More<StartInstance>): Promise<void>;
  save(
    instanceId: string,
    checkpointId: string,
    state: string,
    more?: More<SaveCheckpoint>,
  ): Promise<SaveCheckpointResult>;
  load(instanceId: string, checkpointId: string): Promise<LoadCheckpointResult>;
  event(instanceId: string, type: AppendEvent["type"], more?: More<AppendEvent>): Promise<AppendEventResult>;
  sleep(instanceId: string, checkpointId: string, durationMs: number, nowMs: number): Promise<BeginSleepResult>;
  signal(instanceId: string, signal: SignalType, more?: More<SendSignal>): Promise<SendSignalResult>;
  /** Queued, with the payload of the text. */
  send(
    instanceId: string,
    name: string,
    payload: string,
    more?: More<SendCustomSignal>,
  ): Promise<SendCustomSignalResult>;
  poll(instanceId: string, checkpointId?: string): Promise<PollSignalsResult>;
  control(
    instanceId: string,
    order: ControlInstance["order"],
    more?: More<ControlInstance>,
  ): Promise<ControlInstanceResult>;
  /** Epoch 1, no names, no time. */
  suspend(instanceId: string, more?: More<SuspendUntil>): Promise<SuspendUntilResult>;
  /** Lost after 1,000 ms of silence. */
  fireDue(nowMs: number, more?: More<FireDue>): Promise<FireDueResult>;
  settle(nowMs: number): Promise<SettleEndedResult>;
  /** The instance; fails if there is none. */
  read(instanceId: string): Promise<Instance>;
  /** Its events, oldest first by arrival in the history's order of times. */
  events(instanceId: string): Promise<readonly StoredEvent[]>;
  history(instanceId: string): Promise<readonly HistoryEntry[]>;
}

export const seed: Uint8Array = Uint8Array.from({ length: 16 }, (_, n) => n + 1);

/** To be called inside a `describe`: gives each test a database of its own and takes it away again. */
export function useStore(createHarness: CreateHarness): TestStore {
  let harness: StoreHarness;
  let opened: Store[] = [];

  async function open(): Promise<Store> {
    const store = await harness.open();
    opened.push(store);
    return store;
  }
  async function closeAll(): Promise<void> {
    for (const store of opened) await store.close();
    opened = [];
  }
  beforeEach(async () => {
    harness = await createHarness();
    await open();
  });
  afterEach(async () => {
    await closeAll();
    await harness.dispose();
  });
  const current = (): Store => {
    const [store] = opened;
    if (store === undefined) throw new Error("no store is open");
    return store;
  };
  return {
    get store() {
      return current();
    },
    open,
    async reopen() {
      await closeAll();
      await open();
    },
    run: (operation) => current().run(operation),
    ...shorthands(current),
  };
}

/** The shorthands on whatever store `current` gives; also for a second opening. */
function shorthands(current: () => Store): Omit<TestStore, "store" | "open" | "reopen" | "run"> {
  const queue: TestStore["queue"] = (instanceId, more) =>
    current().run({ ...startDefaults, instanceId, workflow: "w", version: "1", ...more });
  const claim: TestStore["claim"] = (workerId, more) => current().run({ ...claimDefaults, workerId, ...more });
  return {
    ...reads(current),
    ...timesAndOrders(current),
    queue,
    claim,
    register: (instanceId, more) => current().run({ ...registerDefaults, instanceId, ...more }),
    start: (instanceId, more) => current().run({ ...startDefaults, instanceId, ...more }),
    async claimed(instanceId, workerId, more) {
      await queue(instanceId, more);
      // Whatever this worker has got before, it has got.
      const { work } = await claim(workerId, { capacity: 1, received: 1_000_000 });
      if (work[0]?.instanceId !== instanceId) throw new Error(`${workerId} got ${work[0]?.instanceId ?? "nothing"}`);
    },
    save: (instanceId, checkpointId, state, more) =>
      current().run({ kind: "saveCheckpoint", instanceId, checkpointId, state: bytes(state), nowMs: 1, ...more }),
    event: (instanceId, type, more) =>
      current().run({ kind: "appendEvent", instanceId, type, createdAtMs: 1, nowMs: 1, ...more }),
    sleep: (instanceId, checkpointId, durationMs, nowMs) =>
      current().run({ kind: "beginSleep", instanceId, checkpointId, state: bytes("state"), durationMs, nowMs }),
    signal: (instanceId, signal, more) => current().run({ kind: "sendSignal", instanceId, signal, nowMs: 1, ...more }),
    send: (instanceId, name, payload, more) =>
      current().run({
        kind: "sendCustomSignal",
        instanceId,
        name,
        payload: bytes(payload),
        queued: true,
        nowMs: 1,
        ...more,
      }),
    poll: (instanceId, checkpointId) =>
      current().run({
        kind: "pollSignals",
        instanceId,
        nowMs: 1,
        ...(checkpointId === undefined ? {} : { checkpointId }),
      }),
  };
}

function timesAndOrders(current: () => Store): Pick<TestStore, "control" | "suspend" | "fireDue" | "settle"> {
  return {
    control: (instanceId, order, more) =>
      current().run({ kind: "controlInstance", instanceId, order, nowMs: 1, ...more }),
    suspend: (instanceId, more) =>
      current().run({
        kind: "suspendUntil",
        instanceId,
        epoch: 1,
        names: [],
        afterSignalId: 0,
        bytesMax: 1_000_000,
        nowMs: 1,
        ...more,
      }),
    fireDue: (nowMs, more) => current().run({ kind: "fireDue", nowMs, staleAfterMs: 1_000, limit: 100, ...more }),
    settle: (nowMs) => current().run({ kind: "settleEnded", nowMs, limit: 100 }),
  };
}

const registerDefaults = {
  kind: "registerInstance",
  tenantId: "t",
  checkTenant: false,
  seed,
  nowMs: 1,
  staleAfterMs: 0,
} as const;
const startDefaults = { kind: "startInstance", tenantId: "t", tags: {}, seed, nowMs: 1 } as const;
const claimDefaults = {
  kind: "claimWork",
  tenantId: "t",
  offers: [{ name: "w", versions: ["1"] }],
  capacity: 10,
  received: 0,
  leaseMs: 5_000,
  runningMax: 0,
  bytesMax: 1_000_000,
  nowMs: 1,
} as const;

function reads(current: () => Store): Pick<TestStore, "load" | "read" | "events" | "history"> {
  return {
    load: (instanceId, checkpointId) => current().run({ kind: "loadCheckpoint", instanceId, checkpointId }),
    async read(instanceId) {
      const result = await current().run({ kind: "readInstance", instanceId });
      if (result.outcome !== "found") throw new Error(`there is no instance '${instanceId}'`);
      return result.instance;
    },
    async events(instanceId) {
      const result = await current().run({ kind: "listEvents", instanceId, limit: 1_000 });
      if (result.outcome !== "page") throw new Error("a listing without a cursor has a page");
      return result.events.toReversed();
    },
    async history(instanceId) {
      const result = await current().run({ kind: "listHistory", instanceId, limit: 1_000, bytesMax: 1_000_000 });
      if (result.outcome !== "page") throw new Error(`there is no history of '${instanceId}'`);
      return result.entries;
    },
  };
}
