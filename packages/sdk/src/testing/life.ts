// One random program from its start to its end, through crashes, suspensions, signals and cancels, on the real engine.

import assert from "node:assert/strict";
import type { QueuedSignal } from "../ports/source.ts";
import type { RunEnd, RunOptions } from "../run/control.ts";
import { outcomeOf, readEnvelope } from "../run/envelope.ts";
import type { Replay } from "../run/history.ts";
import type { Run } from "../run/run.ts";
import { nextIdOf } from "../run/system-ids.ts";
import { MemoryStore } from "./memory-history.ts";
import { execute, type Ingredients, type Node, type Observer, randomProgram, signalNames } from "./programs.ts";
import { pick, type Rng, rngOf } from "./rng.ts";
import { type ProcessOptions, runProcess, testFacts } from "./run-once.ts";
import { SimulatedClock } from "./simulated-clock.ts";

export interface Variant extends Ingredients {
  readonly sparse: boolean;
  readonly cancel?: boolean;
  /** Idle runs are frozen now and then: put away, or thawed. */
  readonly suspend?: boolean;
  /** So many runs of one instance, each of which continues as the next. Default 1. */
  readonly runs?: number;
  readonly settings?: ProcessOptions["settings"];
  /** Breaks the store, to see that it is noticed. */
  readonly renumber?: boolean;
  /** Breaks the replay, to see that it is noticed. */
  readonly tamper?: (replay: Replay) => void;
}

export interface Totals {
  programs: number;
  processes: number;
  crashes: number;
  suspensions: number;
  thaws: number;
  cancelled: number;
  continued: number;
  signals: number;
  messages: number;
  /** Ended by waiting for a signal that nobody sends. */
  waiting: number;
  readonly failures: string[];
}

const incarnationsMax = 12;

/** Many programs with seeds from `seed` on. */
export async function campaign(seed: number, programs: number, variant: Variant): Promise<Totals> {
  const totals: Totals = {
    programs,
    processes: 0,
    crashes: 0,
    suspensions: 0,
    thaws: 0,
    cancelled: 0,
    continued: 0,
    signals: 0,
    messages: 0,
    waiting: 0,
    failures: [],
  };
  for (let index = 0; index < programs; index++) {
    try {
      await new Life(seed + index, variant, totals).live();
    } catch (error) {
      totals.failures.push(`seed ${seed + index}: ${(error as Error).message}`);
    }
  }
  return totals;
}

/** What happened in one process. */
interface Past {
  readonly end: RunEnd | undefined;
  readonly trace: readonly string[];
  readonly isSuspended: boolean;
}

/** The first turn of a run, and what comes with it. */
interface Beginning {
  readonly run: number;
  readonly inbox: RunOptions["inbox"];
}

class Life {
  readonly #rng: Rng;
  readonly #variant: Variant;
  readonly #totals: Totals;
  readonly #runs: number;
  #program: Node;
  #store = new MemoryStore();
  #beginning: Beginning = { run: 1, inbox: [] };
  readonly #clock = new SimulatedClock();
  readonly #cancelAt: number;
  #isCancelWanted = false;
  #toSend: number;
  #events = 0;
  #hub: Hub | undefined;

  constructor(seed: number, variant: Variant, totals: Totals) {
    this.#rng = rngOf(seed);
    this.#variant = variant;
    this.#totals = totals;
    this.#runs = variant.runs ?? 1;
    this.#program = randomProgram(this.#rng, variant);
    this.#cancelAt = variant.cancel && this.#rng() < 0.6 ? Math.floor(this.#rng() * 60) : Number.POSITIVE_INFINITY;
    this.#toSend = variant.signals ? 12 : 0;
    this.#store.renumbers = variant.renumber ?? false;
  }

  /** Throws what is wrong. */
  async live(): Promise<void> {
    let before: readonly string[] = [];
    for (let incarnation = 1; ; incarnation++) {
      const isLast = incarnation >= incarnationsMax;
      const past = await this.#process(isLast ? 5_000 : 1 + Math.floor(this.#rng() * 40), isLast);
      checkTrace(before, past.trace);
      if (deliveries(past.trace) >= deliveries(before)) before = past.trace;
      this.#checkEnd(past);
      if (this.#store.run > this.#beginning.run) {
        this.#beginNext(past.end);
        before = [];
        continue;
      }
      // Sometimes the process dies after the end, before anybody was told.
      if (past.end && (isLast || this.#rng() >= 0.3)) break;
      if (!past.end && isLast) {
        this.#totals.waiting++;
        break;
      }
      if (past.isSuspended) this.#totals.suspensions++;
      else this.#totals.crashes++;
    }
    this.#totals.messages += this.#store.messages.length;
  }

  /** The entry that begins the next run is stored, whether this process has heard of it or not. */
  #beginNext(end: RunEnd | undefined): void {
    this.#totals.continued++;
    const { run } = this.#beginning;
    const entry = readEnvelope(this.#store.entries.get(nextIdOf(run)) ?? "");
    const { input, inbox } = outcomeOf(entry) as { input: unknown; inbox: Beginning["inbox"] };
    assert.equal(input, run + 1);
    if (end?.is === "continued") assert.deepEqual(end.inbox, inbox);
    this.#totals.messages += this.#store.messages.length;
    const earlier = this.#store;
    this.#store = new MemoryStore();
    this.#store.run = run + 1;
    this.#store.continueFrom(earlier);
    this.#program = randomProgram(this.#rng, this.#variant);
    this.#beginning = { run: run + 1, inbox };
  }

  #checkEnd({ end, trace }: Past): void {
    if (!end) return;
    if (end.is === "cancelled") this.#totals.cancelled++;
    else if (end.is !== "returned" && end.is !== "continued")
      throw "error" in end ? end.error : new Error(`ended as ${end.is}`);
    const told = trace.filter((line) => line.startsWith("tell")).length;
    assert.equal(this.#store.messages.length, told, "each message arrives once");
  }

  async #process(crashAfter: number, isLast: boolean): Promise<Past> {
    this.#totals.processes++;
    const trace: string[] = [];
    const faults: string[] = [];
    const hub = new Hub(this.#store, this.#clock, this.#rng);
    this.#hub = hub;
    let isSuspended = false;
    const { end, events } = await runProcess({
      store: this.#store,
      clock: this.#clock,
      rng: this.#rng,
      sparse: this.#variant.sparse,
      crashAfter,
      input: this.#beginning.run,
      settings: {
        facts: { ...testFacts, run: this.#beginning.run },
        inbox: this.#beginning.inbox,
        probe: (what, id) => trace.push(`${what} ${id}`),
        ...this.#variant.settings,
      },
      listener: { wants: (names) => hub.want(names) },
      isOver: () => isSuspended,
      onEvent: (run, event, history) => {
        if (event === 0) this.#begin(run, hub);
        this.#isCancelWanted ||= this.#events + event >= this.#cancelAt;
        if (this.#isCancelWanted) run.cancel(undefined);
        isSuspended ||= history.isIdle && this.#freeze(run, hub, isLast);
      },
      body: async (input, context) => {
        const text = await execute(context, this.#program, this.#observer(trace, faults));
        return Number(input) < this.#runs ? context.continueAsNew(Number(input) + 1) : text;
      },
    });
    this.#events += events;
    hub.close();
    assert.deepEqual(faults, []);
    return { end, trace, isSuspended };
  }

  #begin(run: Run, hub: Hub): void {
    hub.run = run;
    if (this.#variant.tamper && run.history.replay) this.#variant.tamper(run.history.replay);
    for (; this.#toSend > 0 && this.#rng() > 0.3; this.#toSend--) {
      const [name, payload] = [pick(this.#rng, signalNames), `signal ${this.#toSend}`];
      this.#clock.after(this.#rng() * 150, () => {
        this.#totals.signals++;
        this.#store.send(name, JSON.stringify(payload));
        this.#hub?.look();
      });
    }
  }

  /** An idle run is frozen now and then. True: it was put away; else it is thawed later. */
  #freeze(run: Run, hub: Hub, isLast: boolean): boolean {
    if (!this.#variant.suspend || hub.isFrozen || this.#rng() > 0.3 || !run.standing()) return false;
    run.freeze();
    hub.isFrozen = true;
    if (!isLast && this.#rng() < 0.5) return true;
    this.#totals.thaws++;
    this.#clock.after(this.#rng() * 40, () => {
      hub.isFrozen = false;
      run.thaw();
    });
    return false;
  }

  #observer(trace: string[], faults: string[]): Observer {
    const received = new Set<unknown>();
    return {
      body: (id) => {
        if (this.#store.entries.has(id)) faults.push(`the body of stored step ${id} ran again`);
      },
      latency: () => (this.#rng() < 0.3 ? 0 : 1 + Math.floor(this.#rng() * 30)),
      wait: (ms) => new Promise((resolve) => void this.#clock.after(ms, resolve)),
      received: (payload) => {
        if (received.has(payload)) faults.push(`${String(payload)} was received twice`);
        received.add(payload);
      },
      told: (message) => void trace.push(`tell ${message}`),
      swapped: (message) => void faults.push(message),
    };
  }
}

/** Finds for a run the signals that it wants, as a long poll would: late, and sometimes with what was consumed meanwhile. */
class Hub {
  readonly #store: MemoryStore;
  readonly #clock: SimulatedClock;
  readonly #rng: Rng;
  #names: readonly string[] = [];
  #isClosed = false;
  run: Run | undefined;
  isFrozen = false;

  constructor(store: MemoryStore, clock: SimulatedClock, rng: Rng) {
    this.#store = store;
    this.#clock = clock;
    this.#rng = rng;
  }

  want(names: readonly string[]): void {
    this.#names = names;
    this.look();
  }

  look(): void {
    if (this.#isClosed || this.#names.length === 0) return;
    const found: QueuedSignal[] = this.#store.signals.filter(({ name }) => this.#names.includes(name));
    if (found.length === 0) return;
    this.#clock.after(this.#rng() * 10, () => {
      if (!this.#isClosed) this.run?.arrived(found);
    });
  }

  close(): void {
    this.#isClosed = true;
  }
}

const isDelivery = (line: string): boolean => line.startsWith("deliver");
const deliveries = (trace: readonly string[]): number => trace.filter(isDelivery).length;

/** Up to its last delivery the earlier process is repeated call by call. */
function checkTrace(before: readonly string[], after: readonly string[]): void {
  const end = Math.min(before.findLastIndex(isDelivery) + 1, after.length);
  assert.deepEqual(after.slice(0, end), before.slice(0, end), "the replay repeats the earlier process");
}
