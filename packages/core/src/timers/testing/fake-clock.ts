import { setImmediate } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import { operationsUnderWay } from "./counted-store.ts";

interface Timer {
  readonly atMs: number;
  readonly action: () => void;
}

/** A clock that only a test moves on. Timers run in the order of their times, of equal times in the order in which they were set. */
export class FakeClock implements Clock {
  #nowMs: number;
  readonly #timers = new Set<Timer>();

  constructor(nowMs = 1_000_000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + Math.max(delayMs, 0), action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that have neither run nor been given up. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets this much time pass. After every moment at which a timer ran, what it set off is carried out first, with its I/O. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settled();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#nowMs = next.atMs;
      this.#timers.delete(next);
      next.action();
      if (this.#next(this.#nowMs) === undefined) await settled();
    }
    this.#nowMs = endMs;
  }

  /** The wall clock is set. Timers keep their distance, as those of the machine do. */
  set(nowMs: number): void {
    const timers = [...this.#timers];
    this.#timers.clear();
    for (const { atMs, action } of timers) this.#timers.add({ atMs: atMs - this.#nowMs + nowMs, action });
    this.#nowMs = nowMs;
  }

  #next(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.atMs <= endMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
    return next;
  }
}

/**
 * Everything that goes on by itself has been carried out: a flush and its answers take a turn or two of the event loop each in memory;
 * stores with I/O must be counted ones.
 */
export async function settled(): Promise<void> {
  for (let quiet = 0; quiet < 8; quiet = operationsUnderWay() === 0 ? quiet + 1 : 0) await setImmediate();
}
