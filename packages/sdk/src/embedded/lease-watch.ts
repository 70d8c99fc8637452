/** What a standby sees at one look. */
export type Sight =
  /** A sign of life since the last look. */
  | "alive"
  /** None, but not for long, or it has renewed a short time ago. */
  | "quiet"
  /** None for so long that the lease is to be renewed now. */
  | "renew"
  /** None for so long that the work had better go to somebody else. */
  | "gone";

export interface WatchTimes {
  /** Silence before the first renewal. */
  readonly quietMs: number;
  /** From one renewal to the next. */
  readonly everyMs: number;
  /** Silence after which there is no further one. */
  readonly goneMs: number;
}

/** When a standby renews a lease, from the signs of life that it sees. Times are of one monotone clock, in milliseconds. */
export class LeaseWatch {
  readonly #times: WatchTimes;
  #signs: number;
  #signedAtMs: number;
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(times: WatchTimes, signs: number, nowMs: number) {
    this.#times = times;
    this.#signs = signs;
    this.#signedAtMs = nowMs;
  }

  /** `signs`: a counter that moves with each sign of life. */
  look(signs: number, nowMs: number): Sight {
    const { quietMs, everyMs, goneMs } = this.#times;
    if (signs !== this.#signs) {
      this.#signs = signs;
      this.#signedAtMs = nowMs;
      this.#renewedAtMs = Number.NEGATIVE_INFINITY;
      return "alive";
    }
    const silentMs = nowMs - this.#signedAtMs;
    if (silentMs >= goneMs) return "gone";
    if (silentMs < quietMs || nowMs - this.#renewedAtMs < everyMs) return "quiet";
    this.#renewedAtMs = nowMs;
    return "renew";
  }
}
