import { limits } from "../../limits.ts";

/**
 * Lets a client give up streams no faster than servers take it (they end connections that reset too many, because that is
 * an attack). Those beyond wait; who gave them up does not.
 */
export class ResetPace {
  readonly #waiting: (() => void)[] = [];
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #countedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(burst: number = limits.http2ClientResetsBurst, perSecond: number = limits.http2ClientResetsPerSecond) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
  }

  run(reset: () => void): void {
    this.#waiting.push(reset);
    if (this.#timer === undefined) this.#serve();
  }

  /** The connection has ended: nothing is to be reset any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  #serve(): void {
    const now = performance.now();
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#countedAt) * this.#perSecond) / 1_000);
    this.#countedAt = now;
    const count = Math.min(Math.floor(this.#left), this.#waiting.length);
    this.#left -= count;
    for (const reset of this.#waiting.splice(0, count)) reset();
    this.#timer = this.#waiting.length > 0 ? setTimeout(() => this.#serve(), this.#waitMs).unref() : undefined;
  }

  /** Until about a tenth of a second's worth may go. */
  get #waitMs(): number {
    return Math.max(1, Math.min(100, (1_000 * this.#waiting.length) / this.#perSecond));
  }
}
