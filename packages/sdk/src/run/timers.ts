import { limits } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import { Heap } from "./heap.ts";

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

interface Timer {
  readonly dueAt: number;
  readonly order: number;
  fire: (() => void) | undefined;
}

/** The timers of one run: never early by the clock, equal due times in the order they were set, any distance away. */
export class Timers {
  readonly #clock: Clock;
  readonly #queue = new Heap<Timer>((a, b) => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order));
  #order = 0;
  /** Taken back, and still in the queue. */
  #dead = 0;
  #isFrozen = false;
  #armed: { readonly dueAt: number; readonly disarm: () => void } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `fire` at `dueAt`, or soon when that is past. The result takes it back. */
  set(dueAt: number, fire: () => void): () => void {
    const timer: Timer = { dueAt, order: this.#order++, fire };
    this.#queue.push(timer);
    this.#arm();
    return () => {
      if (timer.fire === undefined) return;
      timer.fire = undefined;
      this.#dead++;
      // Time-outs are taken back long before they are due; they must not gather until then.
      if (this.#dead > 32 && this.#dead * 2 > this.#queue.size) this.#bury();
      this.#arm();
    };
  }

  /** When the earliest is due. */
  get nextDueAt(): number | undefined {
    return this.#next()?.dueAt;
  }

  /** None fires until `thaw`. */
  freeze(): void {
    this.#isFrozen = true;
    this.#arm();
  }

  thaw(): void {
    this.#isFrozen = false;
    this.#arm();
  }

  /** Takes all back. */
  clear(): void {
    for (let timer = this.#queue.pop(); timer; timer = this.#queue.pop()) timer.fire = undefined;
    this.#dead = 0;
    this.#arm();
  }

  #arm(): void {
    const next = this.#isFrozen ? undefined : this.#next();
    if (next?.dueAt === this.#armed?.dueAt) return;
    this.#armed?.disarm();
    this.#armed = undefined;
    if (!next) return;
    // A timer further away than Node can count is looked at again on the way.
    const delayMs = Math.min(Math.max(0, next.dueAt - this.#clock.now()), limits.timerMsMax);
    this.#armed = { dueAt: next.dueAt, disarm: this.#clock.after(delayMs, () => this.#expire()) };
  }

  #expire(): void {
    this.#armed = undefined;
    if (this.#isFrozen) return;
    const now = this.#clock.now();
    // Those that are set by what fires here wait for another turn of the event loop.
    const end = this.#order;
    for (let timer = this.#next(); timer && timer.dueAt <= now && timer.order < end; timer = this.#next()) {
      this.#queue.pop();
      const { fire } = timer;
      timer.fire = undefined;
      fire?.();
    }
    this.#arm();
  }

  /** The earliest that was not taken back. */
  #next(): Timer | undefined {
    while (this.#queue.size > 0 && this.#queue.peek()?.fire === undefined) {
      this.#queue.pop();
      this.#dead--;
    }
    return this.#queue.peek();
  }

  #bury(): void {
    this.#queue.retain(({ fire }) => fire !== undefined);
    this.#dead = 0;
  }
}
