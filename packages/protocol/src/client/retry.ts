import { ProtocolError, type ProtocolErrorCode } from "../errors.ts";
import type { FineCode } from "../fine-codes.ts";
import { limits, retryDefaults } from "../limits.ts";
import { checkTimeMs } from "./time-option.ts";

/** How often a call is tried and how long is waited between two tries. */
export interface RetryPolicy {
  /** The first one included. Default 4. */
  readonly triesMax?: number;
  /** After the first try; it doubles with each further one. Default 50. */
  readonly delayMsMin?: number;
  /** Default 2,000. A server that asks for a longer wait is not asked again: the caller is told. */
  readonly delayMsMax?: number;
}

/** A policy with its defaults; false = no try but the first. @throws ProtocolError OPTION_INVALID */
export function retryPolicy(given: RetryPolicy | false | undefined): Required<RetryPolicy> | false {
  if (given === false) return false;
  if (given !== undefined && (typeof given !== "object" || given === null)) {
    const form = "false or { triesMax, delayMsMin, delayMsMax }";
    throw new ProtocolError("OPTION_INVALID", `retry must be ${form}, got ${String(given)}`);
  }
  const triesMax = given?.triesMax ?? retryDefaults.triesMax;
  const delayMsMin = given?.delayMsMin ?? retryDefaults.delayMsMin;
  const delayMsMax = given?.delayMsMax ?? retryDefaults.delayMsMax;
  if (!Number.isSafeInteger(triesMax) || triesMax < 1) {
    const form = "a whole number from 1, the first try included";
    throw new ProtocolError("OPTION_INVALID", `retry.triesMax must be ${form}, got ${triesMax}`);
  }
  checkTimeMs("retry.delayMsMin", delayMsMin);
  checkTimeMs("retry.delayMsMax", delayMsMax);
  return { triesMax, delayMsMin, delayMsMax };
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
  const hintMs = Math.min(limits.timerMsMax, retryAfterMs * (1 + random / 2));
  return Math.max(hintMs, backoffMs(failed.number, random, policy));
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
