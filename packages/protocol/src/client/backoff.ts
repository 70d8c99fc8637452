import { setTimeout as sleep } from "node:timers/promises";
import { backoffMs, type RetryPolicy } from "./retry.ts";

/**
 * Holds attempts to connect apart: after each failure in a row the next one waits longer, jittered by half, counted from
 * the failure on. Whoever needs a connection meanwhile shares the waiting attempt.
 */
export class Backoff {
  readonly #policy: RetryPolicy;
  #failures = 0;
  #nextAt = 0;

  constructor(policy: RetryPolicy) {
    this.#policy = policy;
  }

  /** @throws what `signal` was aborted with */
  async wait(signal: AbortSignal): Promise<void> {
    const delayMs = Math.ceil(this.#nextAt - performance.now());
    if (delayMs > 0) await sleep(delayMs, undefined, { signal });
  }

  failed(): void {
    this.#failures++;
    this.#nextAt = performance.now() + backoffMs(this.#failures, Math.random(), this.#policy);
  }

  succeeded(): void {
    this.#failures = 0;
    this.#nextAt = 0;
  }
}
