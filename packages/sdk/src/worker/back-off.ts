import { limits } from "../limits.ts";

/** The wait before try number `attempt` (1, 2, …): doubling, bounded, and half of it random, so that many processes do not come back in
 *  one moment. */
export function reconnectDelayMs(attempt: number, random: number): number {
  const full = Math.min(limits.reconnectDelayMsMin * 2 ** Math.min(attempt - 1, 30), limits.reconnectDelayMsMax);
  return Math.round(full * (0.5 + random / 2));
}
