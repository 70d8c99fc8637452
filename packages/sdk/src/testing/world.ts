// Several instances on the simulated clock: signals, children, continuations, cancels, suspension and crashes, with the real engine and
// nothing of the runtime. Saves take no time, so what happens at one moment is over before the next.

import type { QueuedSignal } from "../ports/source.ts";
import type { RunContext } from "../run/context.ts";
import type { EngineEvent, MakeTurns, RunEnd, RunOptions, Standing } from "../run/control.ts";
import { outcomeOf, readEnvelope } from "../run/envelope.ts";
import type { ChildCall } from "../run/history.ts";
import type { ChildReport } from "../run/operations/child-end.ts";
import { Run } from "../run/run.ts";
import { nextIdOf } from "../run/system-ids.ts";
import { readValue, storeValue } from "../values/index.ts";
import { MemoryHistory, MemoryStore } from "./memory-history.ts";
import { type Rng, rngOf } from "./rng.ts";
import { runOptions } from "./run-once.ts";
import { macrotask, SimulatedClock } from "./simulated-clock.ts";

export type WorldBody = (input: unknown, context: RunContext) => unknown;

export interface WorldOptions {
  /** By workflow name: what children run. */
  readonly workflows?: Readonly<Record<string, WorldBody>>;
  readonly rng?: Rng;
  /** How long things between instances take, by what they are: a start, an end's word to the parent, a signal. Default 0. */
  readonly delayMs?: (key: string) => number;
  /** Of 1: how often an instance crashes at a moment when something happens to it. */
  readonly crashes?: number;
  /** Of 1: how often an idle instance is put away. */
  readonly suspensions?: number;
  readonly settings?: Partial<RunOptions>;
  /** Before a process reads what is stored; a control breaks it here. */
  readonly tamper?: ((store: MemoryStore) => void) | undefined;
  readonly onEvent?: (instance: WorldInstance, event: EngineEvent) => void;
}

/** What survives crashes, and the process that runs it now. */
export class WorldInstance {
  readonly id: string;
  readonly body: WorldBody;
  readonly seed: string;
  readonly parent:
    | { readonly instance: WorldInstance; readonly signal: string; readonly detached: boolean }
    | undefined;
  /** One for each run, the last being the one that goes on. */
  readonly stores: MemoryStore[] = [new MemoryStore()];
  /** What the runs of its process have consumed, the last of each name. */
  readonly consumed: Map<string, number> = new Map();
  startedAt = 0;
  input: unknown;
  inbox: RunOptions["inbox"] = [];
  cancel: { readonly reason: string | undefined } | undefined;
  isSuspended = false;
  end: RunEnd | undefined;
  crashes = 0;
  suspensions = 0;
  process: Process | undefined;

  constructor(id: string, body: WorldBody, input: unknown, parent: WorldInstance["parent"]) {
    this.id = id;
    this.body = body;
    this.input = input;
    this.parent = parent;
    this.seed = `seed of ${id}`;
  }

  get store(): MemoryStore {
    return this.stores.at(-1) as MemoryStore;
  }

  /** The entries of all runs. */
  get ids(): string[] {
    return this.stores.flatMap((store) => [...store.entries.keys()]);
  }

  /** What was published and emitted, in order. */
  get messages(): string[] {
    return this.stores.flatMap((store) => store.messages);
  }
}

interface Process {
  readonly run: Run;
  readonly history: WorldHistory;
  wanted: ReadonlySet<string>;
}

/** No latency, a coin at a crash; starts of children go to the world. */
class WorldHistory extends MemoryHistory {
  readonly #coin: { isThrown: boolean };
  readonly #world: World;
  readonly #begin: (child: ChildCall) => void;
  isDead = false;

  constructor(store: MemoryStore, world: World, rng: Rng, begin: (child: ChildCall) => void) {
    const coin = { isThrown: false };
    super(store, { clock: world.clock, rng: () => (coin.isThrown ? rng() : 0), sparse: false });
    this.#coin = coin;
    this.#world = world;
    this.#begin = begin;
  }

  override crash(): void {
    this.isDead = true;
    this.#coin.isThrown = true;
    super.crash();
  }

  /** Resolves when what was asked for has had its time; never in a process that has died. */
  until(key: string): Promise<void> {
    return new Promise((resolve) => {
      this.#world.later(key, () => {
        if (!this.isDead) resolve();
      });
    });
  }

  override async startChild(child: ChildCall): Promise<void> {
    await this.until(`spawn ${child.instanceId}`);
    this.#begin(child);
    await super.startChild(child);
  }
}

export class World {
  readonly clock: SimulatedClock = new SimulatedClock();
  readonly instances: Map<string, WorldInstance> = new Map();
  readonly #options: WorldOptions;
  readonly #rng: Rng;
  readonly #sent = new Set<string>();
  readonly #due = new Map<string, number>();
  #turns = 0;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.#rng = options.rng ?? rngOf(1);
  }

  // ---- from outside

  start(id: string, body: WorldBody, input?: unknown, parent?: WorldInstance["parent"]): WorldInstance {
    const known = this.instances.get(id);
    if (known) return known;
    const instance = new WorldInstance(id, body, input, parent);
    this.instances.set(id, instance);
    this.later(`start ${id}`, () => {
      if (instance.end) return;
      instance.startedAt = this.clock.now();
      this.launch(instance);
    });
    return instance;
  }

  /** Queued; counted once per message id. */
  signal(instanceId: string, name: string, value: unknown, messageId?: string): void {
    const instance = this.instances.get(instanceId);
    if (!instance || instance.end) return;
    const known = `${instanceId} ${messageId}`;
    if (messageId !== undefined && this.#sent.has(known)) return;
    this.#sent.add(known);
    instance.store.send(
      name,
      value === undefined ? "null" : storeValue(value, { root: "payload", describe: () => name }),
    );
    this.#hand(instance);
    if (instance.isSuspended && instance.process === undefined && this.#awaits(instance, name)) this.launch(instance);
  }

  cancel(instanceId: string, reason?: string): void {
    const instance = this.instances.get(instanceId);
    if (!instance || instance.end || instance.cancel) return;
    instance.cancel = { reason };
    if (instance.process) instance.process.run.cancel(reason);
    else if (instance.isSuspended) this.launch(instance);
    else if (instance.startedAt === 0) this.#finish(instance, { is: "cancelled" });
  }

  /** A new process resumes it at once. */
  crash(instance: WorldInstance): void {
    if (this.halt(instance)) this.launch(instance);
  }

  /** Its process dies, and there is none until `launch`. False: there was none. */
  halt(instance: WorldInstance): boolean {
    if (!this.#drop(instance)) return false;
    instance.crashes++;
    return true;
  }

  /** Work outside, which goes on when a process dies. */
  work(key: string, ms: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.later(key, resolve, ms);
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }

  /** Until nothing can happen any more, or so many events have. */
  async run(eventsMax = 100_000): Promise<void> {
    await this.#settle();
    for (let events = 0; events < eventsMax && this.clock.step(); events++) await this.#settle();
  }

  // ---- processes

  launch(instance: WorldInstance): void {
    instance.isSuspended = false;
    this.#enterRun(instance);
    this.#options.tamper?.(instance.store);
    const history = new WorldHistory(instance.store, this, this.#rng, (child) => this.#begin(instance, child));
    const process: Process = { run: new Run(this.#runOptions(instance, history)), history, wanted: new Set() };
    instance.process = process;
    void process.run.start().then((end) => this.#onEnd(instance, process, end));
    if (instance.cancel) process.run.cancel(instance.cancel.reason);
  }

  /** The run that goes on may be another than the one this process knew. */
  #enterRun(instance: WorldInstance): void {
    const { store } = instance;
    if (store.run === instance.stores.length) return;
    const text = store.entries.get(nextIdOf(instance.stores.length)) as string;
    const envelope = readEnvelope(text);
    const next = outcomeOf(envelope) as { input?: unknown; inbox: RunOptions["inbox"] };
    const fresh = new MemoryStore();
    fresh.run = store.run;
    fresh.continueFrom(store);
    instance.stores.push(fresh);
    instance.startedAt = envelope.at;
    instance.input = next.input;
    instance.inbox = next.inbox;
  }

  #runOptions(instance: WorldInstance, history: WorldHistory): RunOptions {
    const { settings } = this.#options;
    const defaults = runOptions({ body: instance.body, history, clock: this.clock, input: instance.input });
    return {
      ...defaults,
      inbox: instance.inbox,
      consumed: instance.consumed,
      readPayload: (_, payload, child) => readPayload(payload, child !== undefined),
      outside: {
        sendSignal: async (target, name, text, messageId) => {
          await history.until(`send ${target}`);
          this.signal(target, name, text === undefined ? undefined : readValue(text), messageId);
        },
        cancelInstance: async (target) => {
          await history.until(`cancel ${target}`);
          this.cancel(target);
        },
      },
      listener: {
        wants: (names) => this.#want(instance, names),
        idle: () => this.#onIdle(instance),
        busy: () => {},
        event: (event) => this.#options.onEvent?.(instance, event),
        isDetailed: this.#options.onEvent !== undefined,
      },
      makeTurns: this.#makeTurns,
      ...settings,
      facts: {
        ...defaults.facts,
        instanceId: instance.id,
        run: instance.stores.length,
        startedAt: instance.startedAt,
        seed: instance.seed,
        ...settings?.facts,
      },
    };
  }

  #drop(instance: WorldInstance): boolean {
    const { process } = instance;
    if (!process || instance.end) return false;
    instance.process = undefined;
    instance.consumed.clear();
    process.history.crash();
    process.run.stop({ is: "stopped", error: new Error("crash") });
    return true;
  }

  #onEnd(instance: WorldInstance, process: Process, end: RunEnd): void {
    if (instance.process !== process) return;
    instance.process = undefined;
    // What it has asked of others and not got yet is given up with it.
    process.history.isDead = true;
    if (end.is === "continued") this.launch(instance);
    else this.#finish(instance, end);
  }

  #finish(instance: WorldInstance, end: RunEnd): void {
    instance.end = end;
    const { parent } = instance;
    for (const child of this.instances.values()) {
      if (child.parent?.instance !== instance || child.parent.detached) continue;
      this.later(`orphan ${child.id}`, () => this.cancel(child.id));
    }
    if (!parent) return;
    this.later(`end ${instance.id}`, () => {
      this.signal(parent.instance.id, parent.signal, reportOf(end), `child:${instance.id}`);
    });
  }

  #begin(parent: WorldInstance, { instanceId, workflow, inputText, resultSignal, detached }: ChildCall): void {
    const body = this.#options.workflows?.[workflow];
    if (!body) throw new Error(`no workflow ${workflow}`);
    const input = inputText === undefined ? undefined : readValue(inputText);
    this.start(instanceId, body, input, { instance: parent, signal: resultSignal, detached });
  }

  // ---- signals and rest

  #want(instance: WorldInstance, names: readonly string[]): void {
    if (!instance.process) return;
    instance.process.wanted = new Set(names);
    this.#hand(instance);
  }

  #hand({ id, process, store }: WorldInstance): void {
    if (!process) return;
    const first = new Map<string, QueuedSignal>();
    for (const signal of store.signals) {
      if (process.wanted.has(signal.name) && !first.has(signal.name)) first.set(signal.name, signal);
    }
    for (const signal of first.values()) {
      this.later(`fetch ${id} ${signal.signalId}`, () => {
        if (!process.history.isDead) process.run.arrived([signal]);
      });
    }
  }

  #awaits(instance: WorldInstance, name: string): boolean {
    return this.#standings.get(instance)?.names.includes(name) === true;
  }

  readonly #standings = new WeakMap<WorldInstance, Standing>();

  #onIdle(instance: WorldInstance): void {
    const { process } = instance;
    if (!process || this.#rng() >= (this.#options.suspensions ?? 0)) return;
    // As the runtime does: not in the turn itself.
    this.clock.after(0, () => {
      if (instance.process !== process || instance.end || !process.history.isIdle) return;
      const standing = process.run.standing();
      if (!standing) return;
      process.run.freeze();
      if (this.#mustGoOn(instance, standing)) {
        process.run.thaw();
        return;
      }
      this.#drop(instance);
      this.#putAway(instance, standing);
    });
  }

  #mustGoOn({ store, cancel }: WorldInstance, { names, recordedSignal }: Standing): boolean {
    const isCancelNew = cancel !== undefined && recordedSignal !== "cancel";
    return isCancelNew || store.signals.some(({ name }) => names.includes(name));
  }

  #putAway(instance: WorldInstance, standing: Standing): void {
    instance.suspensions++;
    instance.isSuspended = true;
    this.#standings.set(instance, standing);
    if (standing.untilMs === undefined) return;
    this.clock.after(Math.max(0, standing.untilMs - this.clock.now()), () => {
      if (instance.isSuspended && this.#standings.get(instance) === standing) this.launch(instance);
    });
  }

  // ---- time

  /** So long after it was first asked for, whoever asks again; at once where no delay is given. */
  later(key: string, action: () => void, ms: number = this.#options.delayMs?.(key) ?? 0): void {
    const dueAt = this.#due.get(key) ?? this.clock.now() + ms;
    this.#due.set(key, dueAt);
    if (ms === 0) action();
    else this.clock.after(Math.max(0, dueAt - this.clock.now()), action);
  }

  /** All turns that follow from the last event; now and then a process dies on the way. */
  async #settle(): Promise<void> {
    do {
      await macrotask();
      this.#crashSome();
    } while (this.#turns > 0);
  }

  #crashSome(): void {
    const { crashes } = this.#options;
    if (crashes === undefined) return;
    for (const instance of [...this.instances.values()]) {
      if (instance.process && instance.crashes < 30 && this.#rng() < crashes) this.crash(instance);
    }
  }

  readonly #makeTurns: MakeTurns = (begin, end) => {
    const turns = { isInside: false, isScheduled: false, schedule: () => {} };
    const start = (): void => {
      turns.isInside = true;
      begin();
    };
    const stop = (): void => {
      turns.isInside = false;
      turns.isScheduled = false;
      this.#turns--;
      end();
    };
    turns.schedule = () => {
      if (turns.isScheduled) return;
      turns.isScheduled = true;
      this.#turns++;
      setImmediate(start);
      setImmediate(stop);
    };
    return turns;
  };
}

function readPayload(payload: Uint8Array, isEnd: boolean): unknown {
  const value = readValue(new TextDecoder().decode(payload));
  return isEnd ? (value as ChildReport) : value;
}

function reportOf(end: RunEnd): ChildReport {
  if (end.is === "returned") return { status: "completed", output: end.value };
  if (end.is === "cancelled") return { status: "cancelled" };
  const error = end.is === "threw" ? end.error : end.is;
  return { status: "failed", error: String(error), failure: error };
}

/** What the instance returned. Throws what it threw, or that it has not ended like that. */
export function outputOf({ end, id }: WorldInstance): unknown {
  if (end?.is === "threw") throw end.error;
  if (end?.is !== "returned") throw new Error(`instance ${id} has not returned: ${end?.is}`);
  return end.value;
}

/** What the instance threw. */
export function errorOf({ end, id }: WorldInstance): Error {
  if (end?.is !== "threw") throw new Error(`instance ${id} has not failed: ${end?.is}`);
  return end.error as Error;
}
