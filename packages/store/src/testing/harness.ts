import { afterEach, beforeEach } from "node:test";
import type {
  BeginSleepResult,
  InstanceStatus,
  LoadCheckpointResult,
  RegisterInstanceResult,
  SaveCheckpointResult,
  Store,
  Transition,
} from "@runtara/store";

/** One empty database of an engine, for one test. */
export interface StoreHarness {
  /** Opens the database; called again, it opens the same one. */
  open(): Promise<Store>;
  /** Removes the database. All stores have been closed before. */
  dispose(): Promise<void>;
}

export type CreateHarness = () => Promise<StoreHarness>;

/** The store of the current test, and shorthands for what nearly every test does. */
export interface TestStore {
  readonly store: Store;
  /** Another opening of the same database. */
  open(): Promise<Store>;
  /** Closes what is open and opens the database anew. */
  reopen(): Promise<void>;
  register(
    instanceId: string,
    options?: { readonly checkpointId?: string; readonly nowMs?: number },
  ): Promise<RegisterInstanceResult>;
  save(instanceId: string, checkpointId: string, state: string): Promise<SaveCheckpointResult>;
  load(instanceId: string, checkpointId: string): Promise<LoadCheckpointResult>;
  sleep(instanceId: string, checkpointId: string, durationMs: number, nowMs: number): Promise<BeginSleepResult>;
}

export const registrable: readonly InstanceStatus[] = ["pending", "running", "suspended"];
export const running: readonly InstanceStatus[] = ["running"];

/** A change to a final status, from every status that is not. */
export function ending(to: "completed" | "failed" | "cancelled", set?: Transition["set"]): Transition {
  return { from: registrable, to, ends: true, ...(set === undefined ? {} : { set }) };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(state: Uint8Array): string {
  return new TextDecoder().decode(state);
}

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
    register: (instanceId, { checkpointId, nowMs = 1 } = {}) =>
      current().run({
        kind: "registerInstance",
        instanceId,
        tenantId: "tenant",
        ...(checkpointId === undefined ? {} : { checkpointId }),
        allowedIn: registrable,
        nowMs,
      }),
    save: (instanceId, checkpointId, state) =>
      current().run({
        kind: "saveCheckpoint",
        instanceId,
        checkpointId,
        state: bytes(state),
        allowedIn: running,
        nowMs: 2,
      }),
    load: (instanceId, checkpointId) => current().run({ kind: "loadCheckpoint", instanceId, checkpointId }),
    sleep: (instanceId, checkpointId, durationMs, nowMs) =>
      current().run({
        kind: "beginSleep",
        instanceId,
        checkpointId,
        state: bytes("state"),
        durationMs,
        allowedIn: registrable,
        nowMs,
      }),
  };
}
