import { limits } from "../limits.ts";

/**
 * When refused clients should come back. The hint grows with the refusals of late, so that the more there are the wider
 * they spread; it never exceeds `limits.retryAfterMsMax`. Pure: the caller brings clock and chance.
 */
export class RetryHint {
  #refusals = 0;
  #atMs = 0;

  /** For one refused call, ms. `random` is from [0, 1). */
  next(nowMs: number, random: number): number {
    const halvings = Math.max(0, nowMs - this.#atMs) / limits.refusalHalfLifeMs;
    this.#refusals = this.#refusals * 0.5 ** halvings + 1;
    this.#atMs = nowMs;
    const hintMs = limits.retryAfterMsMin * (1 + this.#refusals / limits.refusalsPerStep);
    return Math.round(Math.min(hintMs, limits.retryAfterMsMax) * (0.5 + random / 2));
  }
}
