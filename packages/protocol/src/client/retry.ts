import type { ProtocolErrorCode } from "../errors.ts";
import { retryDefaults } from "../limits.ts";

/** How often a call is tried and how long is waited between two tries. */
export interface RetryPolicy {
  /** The first one included. Default 4. */
  readonly triesMax?: number;
  /** After the first try; it doubles with each further one. Default 50. */
  readonly delayMsMin?: number;
  /** Default 2,000. */
  readonly delayMsMax?: number;
}

/** One failed try. */
export interface FailedTry {
  /** 1 for the first try. */
  readonly number: number;
  readonly code: ProtocolErrorCode;
  readonly isIdempotent: boolean;
  /** False only if it is certain that the server has seen nothing. */
  readonly mayHaveArrived: boolean;
}

/** What may be over at the next try. An answer, a refusal, a deadline or a mistake of the caller stays what it is. */
const passing: ReadonlySet<ProtocolErrorCode> = new Set<ProtocolErrorCode>([
  "CONNECT_TIMEOUT",
  "CONNECT_FAILED",
  "CONNECTION_LOST",
  "CONNECTION_CLOSED",
  "STREAM_RESET",
]);

/**
 * How long to wait before the next try, or undefined if there must be none. Between half and all of a delay that doubles,
 * so that clients that failed together do not come back together. `random` is from 0 to 1.
 */
export function retryDelayMs(failed: FailedTry, random: number, policy: RetryPolicy = {}): number | undefined {
  const { triesMax, delayMsMin, delayMsMax } = { ...retryDefaults, ...policy };
  if (failed.number >= triesMax || !passing.has(failed.code)) return undefined;
  if (failed.mayHaveArrived && !failed.isIdempotent) return undefined;
  const delayMs = Math.min(delayMsMax, delayMsMin * 2 ** Math.min(failed.number - 1, 30));
  return delayMs * (0.5 + random / 2);
}
