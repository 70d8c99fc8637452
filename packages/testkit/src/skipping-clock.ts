import { Heap } from "./heap.ts";

/** What the runtime and core take as their clock. */
export interface Clock {
  now(): number;
  after(delayMs: number, action: () => void): () => void;
}

/** Timers of workflows are reasons for the clock to stop at; housekeeping (leases, looks, polls) fires once behind each jump. */
export type TimerKind = "workflow" | "housekeeping";

/** A clock for one process: its timers die with it. */
export interface ClockFace extends Clock {
  /** Nothing that was set through this face fires any more. */
  kill(): void;
}

interface Owner {
  isDead: boolean;
}

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly kind: TimerKind;
  readonly owner: Owner;
  action: (() => void) | undefined;
}

const isBefore = (a: Timer, b: Timer): boolean => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);

/** Time that stands still until it is told to jump. Timers without a delay fire by themselves, with the next turn of the event loop. */
export class SkippingClock {
  readonly #timers = { workflow: new Heap<Timer>(isBefore), housekeeping: new Heap<Timer>(isBefore) };
  #nowMs: number;
  #order = 0;
  #pump: NodeJS.Immediate | undefined;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  face(kind: TimerKind): ClockFace {
    const owner: Owner = { isDead: false };
    return {
      now: () => this.#nowMs,
      after: (delayMs, action) => this.#set(kind, owner, delayMs, action),
      kill: () => {
        owner.isDead = true;
      },
    };
  }

  /** When the next timer of a workflow is due. */
  get nextStopMs(): number | undefined {
    return first(this.#timers.workflow)?.dueMs;
  }

  /** Something is due and has not fired. */
  get isDue(): boolean {
    return this.#earliest() !== undefined;
  }

  /** Sets the time, never back, and fires what is due by then, earliest first. All of it sees the new time. */
  jump(toMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, toMs);
    this.fireDue();
  }

  /** What is set meanwhile waits for another turn, so that a timer that sets itself again can't hold the loop. */
  fireDue(): void {
    const end = this.#order;
    for (let timer = this.#earliest(); timer !== undefined; timer = this.#earliest()) {
      if (timer.order >= end) {
        this.#pumpLater();
        return;
      }
      this.#timers[timer.kind].pop();
      const { action } = timer;
      timer.action = undefined;
      action?.();
    }
  }

  #set(kind: TimerKind, owner: Owner, delayMs: number, action: () => void): () => void {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(delayMs, 0), order: this.#order++, kind, owner, action };
    this.#timers[kind].push(timer);
    if (timer.dueMs <= this.#nowMs) this.#pumpLater();
    return () => {
      timer.action = undefined;
    };
  }

  #earliest(): Timer | undefined {
    const [one, other] = [first(this.#timers.workflow), first(this.#timers.housekeeping)];
    const timer = one === undefined || (other !== undefined && isBefore(other, one)) ? other : one;
    return timer !== undefined && timer.dueMs <= this.#nowMs ? timer : undefined;
  }

  #pumpLater(): void {
    this.#pump ??= setImmediate(() => {
      this.#pump = undefined;
      this.fireDue();
    });
  }
}

/** The earliest that was not taken back, of a process that lives. */
function first(timers: Heap<Timer>): Timer | undefined {
  for (let timer = timers.peek(); timer !== undefined; timer = timers.peek()) {
    if (timer.action !== undefined && !timer.owner.isDead) return timer;
    timers.pop();
  }
  return undefined;
}
