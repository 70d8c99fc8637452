import { limits } from "../../limits.ts";
import type { Clock } from "../../ports/clock.ts";

/** The core's clock, as far as its answers tell: a machine whose own clock is wrong fires neither early nor late. It never runs backwards. */
export class ServerClock implements Clock {
  readonly #elapsed: () => number;
  /** Server time minus elapsed time. */
  #offsetMs: number;
  /** How far wrong `#offsetMs` may be, and when that was found. */
  #errorMs = Number.POSITIVE_INFINITY;
  #measuredMs = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** `elapsed`: milliseconds of a clock that nobody sets. */
  constructor(wall: () => number = Date.now, elapsed: () => number = () => performance.now()) {
    this.#elapsed = elapsed;
    this.#offsetMs = wall() - elapsed();
  }

  now(): number {
    this.#lastMs = Math.max(this.#lastMs, Math.floor(this.#elapsed() + this.#offsetMs));
    return this.#lastMs;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = setTimeout(action, Math.min(Math.max(0, Math.ceil(delayMs)), limits.timerMsMax));
    return () => clearTimeout(timer);
  }

  /** The moment `elapsed` of now, for `heard`. */
  get elapsedMs(): number {
    return this.#elapsed();
  }

  /** The server read its clock at some moment since `sentAtMs`, and we have the answer now. Of several answers the quickest is believed;
   *  after a while a new one, because clocks drift. */
  heard(serverTimeMs: number, sentAtMs: number): void {
    const nowMs = this.#elapsed();
    const errorMs = (nowMs - sentAtMs) / 2;
    if (errorMs > this.#errorMs && nowMs - this.#measuredMs < limits.clockBelievedMs) return;
    this.#offsetMs = serverTimeMs - (sentAtMs + nowMs) / 2;
    this.#errorMs = errorMs;
    this.#measuredMs = nowMs;
  }
}
