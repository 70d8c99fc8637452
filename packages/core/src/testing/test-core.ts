import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "node:test";
import { type Answer, answered, type Core, CoreError, createCore } from "@runtara/core";
import { openStore, type Store } from "@runtara/store";

/** A core on an empty SQLite database for each test of a file, and shorthands for what nearly every test does. */
export interface TestCore {
  readonly core: Core;
  readonly store: Store;
  /** The wall clock in ms; a test may set it. */
  nowMs: number;
  register(instanceId: string): Promise<unknown>;
  status(instanceId: string): Promise<string>;
  /** What the call answers, or the text of its error with its code in front. */
  outcome<Response>(call: (answer: Answer<Response>) => void): Promise<Response | string>;
}

export function useCore(): TestCore {
  let folder: string;
  let store: Store;
  let core: Core;
  const test: TestCore = {
    get core() {
      return core;
    },
    get store() {
      return store;
    },
    nowMs: 1_000,
    register: (instanceId) => answered((answer) => core.lifecycle.register({ instanceId, tenantId: "t" }, answer)),
    status: async (instanceId) => {
      const { status } = await answered<{ readonly status: string }>((answer) =>
        core.lifecycle.status(instanceId, answer),
      );
      return status;
    },
    outcome: (call) =>
      answered(call).catch((error: unknown) => {
        if (!(error instanceof CoreError)) throw error;
        return `${error.code}: ${error.message}`;
      }),
  };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "runtara-core-"));
    store = await openStore(join(folder, "core.db"));
    test.nowMs = 1_000;
    core = createCore({ store, now: () => test.nowMs });
  });
  afterEach(async () => {
    core.sleeps.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  return test;
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
