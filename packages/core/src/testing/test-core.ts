import { afterEach, beforeEach, describe } from "node:test";
import { type Answer, answered, type Clock, type Core, CoreError, createCore, systemClock } from "@runtara/core";
import type { Store } from "@runtara/store";
import type { StoreHarness } from "@runtara/store/testing";
import { type Engine, engines } from "./engines.ts";

/** A core on an empty database for each test, and shorthands for what nearly every test does. */
export interface TestCore {
  readonly core: Core;
  readonly store: Store;
  /** The wall clock in ms; a test may set it. */
  nowMs: number;
  /** Follows `nowMs`; waits take their real time. */
  readonly clock: Clock;
  /** Another core on another opening of the same database, as of another process. */
  openOther(): Promise<Core>;
  /** Tenant "t". The epoch. */
  register(instanceId: string): Promise<number>;
  /** An instance of workflow "w" that nobody has started. */
  start(instanceId: string): Promise<unknown>;
  status(instanceId: string): Promise<string>;
  /** What the call answers, or the text of its error with its code in front. */
  outcome<Response>(call: (answer: Answer<Response>) => void): Promise<Response | string>;
}

/** Declares `body`'s tests once for each engine. */
export function onEachEngine(body: (t: TestCore) => void): void {
  for (const engine of engines) void describe(engine.name, () => body(useCore(engine)));
}

function useCore(engine: Engine): TestCore {
  let database: StoreHarness;
  let opened: { readonly store: Store; readonly core: Core }[] = [];
  const first = () => {
    const [one] = opened;
    if (one === undefined) throw new Error("no core is open");
    return one;
  };
  async function open(): Promise<Core> {
    const store = await database.open();
    const core = createCore({ store, clock: t.clock });
    opened.push({ store, core });
    return core;
  }
  const t: TestCore = {
    get core() {
      return first().core;
    },
    get store() {
      return first().store;
    },
    nowMs: 1_000,
    clock: { now: () => t.nowMs, after: systemClock.after },
    openOther: open,
    async register(instanceId) {
      const response = await answered<{ readonly success: boolean; readonly facts?: { readonly epoch: number } }>(
        (answer) => t.core.registration.register({ instanceId, tenantId: "t" }, answer),
      );
      if (response.facts === undefined) throw new Error(`'${instanceId}' was not registered`);
      return response.facts.epoch;
    },
    start: (instanceId) =>
      answered((answer) => t.core.work.start({ instanceId, tenantId: "t", workflow: "w", tags: {} }, answer)),
    async status(instanceId) {
      const { status } = await answered<{ readonly status: string }>((answer) =>
        t.core.status.read(instanceId, answer),
      );
      return status;
    },
    async outcome(call) {
      try {
        // Plain bytes, whatever kind of view an engine has of them.
        return structuredClone(await answered(call));
      } catch (error) {
        if (!(error instanceof CoreError)) throw error;
        return `${error.code}: ${error.message}`;
      }
    },
  };
  beforeEach(async () => {
    t.nowMs = 1_000;
    database = await engine.create();
    await open();
  });
  afterEach(async () => {
    for (const { core } of opened) await core.close();
    for (const { store } of opened) await store.close();
    opened = [];
    await database.dispose();
  });
  return t;
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
