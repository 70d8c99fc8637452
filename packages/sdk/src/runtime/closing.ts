import { limits } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";

/** What closing must know of an instance in memory. */
interface ClosingMember {
  /** Puts it away, or stops it if no body of it runs; with `force` the bodies are dropped. */
  close(force: boolean): void;
  vanish(): void;
}

/** Empties a runtime: everybody may finish what is running, but no longer than `drainMs`. */
export class Closing {
  readonly #clock: Clock;
  readonly #members: () => readonly ClosingMember[];
  readonly #takeBack = new Set<() => void>();
  #isForced = false;
  #isLooking = false;
  #isOver = false;
  #finish: () => void = () => {};

  constructor(clock: Clock, members: () => readonly ClosingMember[]) {
    this.#clock = clock;
    this.#members = members;
  }

  /** Resolves when nobody is left. */
  run(drainMs: number): Promise<void> {
    const finished = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    this.#at(drainMs, () => {
      this.#isForced = true;
      this.look();
    });
    // What can't be written by then is the next worker's, as after a crash.
    this.#at(drainMs + limits.closingMs, () => {
      for (const member of this.#members()) member.vanish();
      this.look();
    });
    this.#lookNowAndThen();
    return finished;
  }

  /** Something has come to rest. */
  look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    // A body that has just ended becomes an entry first.
    setImmediate(() => {
      this.#isLooking = false;
      if (this.#isOver) return;
      for (const member of this.#members()) member.close(this.#isForced);
      if (this.#members().length > 0) return;
      this.#isOver = true;
      for (const takeBack of this.#takeBack) takeBack();
      this.#finish();
    });
  }

  /** What comes to rest says so; this is for whatever does not. */
  #lookNowAndThen(): void {
    this.look();
    if (this.#members().length > 0) this.#at(limits.closingLookMs, () => this.#lookNowAndThen());
  }

  #at(delayMs: number, action: () => void): void {
    const takeBack = this.#clock.after(delayMs, () => {
      this.#takeBack.delete(takeBack);
      action();
    });
    this.#takeBack.add(takeBack);
  }
}
