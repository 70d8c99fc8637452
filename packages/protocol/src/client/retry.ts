import type { ProtocolErrorCode } from "../errors.ts";
import type { FineCode } from "../fine-codes.ts";
import { retryDefaults } from "../limits.ts";

/** How often a call is tried and how long is waited between two tries. */
export interface RetryPolicy {
  /** The first one included. Default 4. */
  readonly triesMax?: number;
  /** After the first try; it doubles with each further one. Default 50. */
  readonly delayMsMin?: number;
  /** Default 2,000. A server that asks for a longer wait is not asked again: the caller is told. */
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
  /** With code `RPC`: what the server says of another try. */
  readonly fineCode?: string | undefined;
  readonly isRetryable?: boolean | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** What may be over at the next try. A refusal, a deadline or a mistake of the caller stays what it is. */
const passing: ReadonlySet<ProtocolErrorCode> = new Set<ProtocolErrorCode>([
  "CONNECT_TIMEOUT",
  "CONNECT_FAILED",
  "CONNECTION_LOST",
  "CONNECTION_CLOSED",
  "STREAM_RESET",
]);

/** Refusals after which nothing has been done, so that every call may be repeated. */
const untouched: ReadonlySet<string> = new Set<FineCode>([
  "OVERLOADED",
  "DRAINING",
  "DATABASE_ERROR",
  "CHECKPOINT_SAVE_FAILED",
]);

/**
 * How long to wait before the next try, or undefined if there must be none. Between half and all of a delay that doubles,
 * so that clients that failed together do not come back together; a server's own hint is waited for and up to half as
 * long again. `random` is from 0 to 1.
 */
export function retryDelayMs(failed: FailedTry, random: number, policy: RetryPolicy = {}): number | undefined {
  const { triesMax, delayMsMax } = { ...retryDefaults, ...policy };
  if (failed.number >= triesMax || !mayRepeat(failed)) return undefined;
  const { retryAfterMs = 0 } = failed;
  if (retryAfterMs > delayMsMax) return undefined;
  return Math.max(retryAfterMs * (1 + random / 2), backoffMs(failed.number, random, policy));
}

/** After the `number`th failure in a row. */
export function backoffMs(number: number, random: number, policy: RetryPolicy = {}): number {
  const { delayMsMin, delayMsMax } = { ...retryDefaults, ...policy };
  return Math.min(delayMsMax, delayMsMin * 2 ** Math.min(number - 1, 30)) * (0.5 + random / 2);
}

function mayRepeat({ code, isIdempotent, mayHaveArrived, fineCode, isRetryable }: FailedTry): boolean {
  if (code === "RPC") return isRetryable === true && (isIdempotent || untouched.has(fineCode ?? ""));
  return passing.has(code) && (isIdempotent || !mayHaveArrived);
}
