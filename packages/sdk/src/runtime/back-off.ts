import { limits } from "../limits.ts";

/** The wait before try number `attempt` (1, 2, …) of a call that the source could not take: doubling, bounded, and half of it random, so
 *  that many processes don't come back in one moment. */
export function retryDelayMs(attempt: number, random: number, retryAfterMs = 0): number {
  const full = Math.min(limits.sourceDelayMsMin * 2 ** Math.min(attempt - 1, 30), limits.sourceDelayMsMax);
  return Math.max(Math.round(full * (0.5 + random / 2)), retryAfterMs);
}
