import type { Clock } from "../ports/clock.ts";
import { Heap } from "../run/heap.ts";

interface Event {
  readonly at: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

/** Time that passes only from event to event. */
export class SimulatedClock implements Clock {
  #now: number;
  #order = 0;
  readonly #events = new Heap<Event>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));

  constructor(now = 1_700_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const event: Event = { at: this.#now + Math.round(delayMs), order: this.#order++, callback };
    this.#events.push(event);
    return () => {
      event.callback = undefined;
    };
  }

  /** Goes to the next event and runs it. False: there is none. */
  step(): boolean {
    for (let event = this.#events.pop(); event; event = this.#events.pop()) {
      if (!event.callback) continue;
      this.#now = event.at;
      event.callback();
      return true;
    }
    return false;
  }
}

/** The next macrotask: all that follows from the last event has happened, but for turns that are still queued. */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
