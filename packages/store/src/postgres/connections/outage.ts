/** What to do before the next attempt to connect. */
export type Advice =
  | { readonly kind: "try" }
  | { readonly kind: "wait"; readonly forMs: number }
  | { readonly kind: "fail" };

export interface OutageBounds {
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  /** How long uses wait for the server's return. In an outage that is older they fail at once, unless an attempt is due. */
  readonly patienceMs: number;
}

/** Attempts to connect to a server that does not answer: ever rarer, and shared by all who wait. Has no clock of its own. */
export class Outage {
  readonly #bounds: OutageBounds;
  #sinceMs: number | undefined;
  #delayMs = 0;
  #nextAttemptMs = 0;

  constructor(bounds: OutageBounds) {
    this.#bounds = bounds;
  }

  succeeded(): void {
    this.#sinceMs = undefined;
    this.#delayMs = 0;
  }

  failed(nowMs: number): void {
    this.#sinceMs ??= nowMs;
    this.#delayMs = Math.min(Math.max(this.#delayMs * 2, this.#bounds.delayMsMin), this.#bounds.delayMsMax);
    this.#nextAttemptMs = nowMs + this.#delayMs;
  }

  /** `hasTried`: this use has had an attempt of its own already. */
  advise(nowMs: number, hasTried: boolean): Advice {
    if (this.#sinceMs === undefined) return { kind: "try" };
    const old = nowMs - this.#sinceMs >= this.#bounds.patienceMs;
    if (old && hasTried) return { kind: "fail" };
    const forMs = this.#nextAttemptMs - nowMs;
    if (forMs <= 0) return { kind: "try" };
    return old ? { kind: "fail" } : { kind: "wait", forMs };
  }
}
