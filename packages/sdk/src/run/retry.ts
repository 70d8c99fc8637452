import type { Retry } from "../api/step.ts";
import type { Duration } from "../durations.ts";
import { durationMs } from "../durations.ts";
import { ContextError, isRuntaraError, type RetryableError } from "../errors.ts";

/** A {@link Retry} and a time-out with everything filled in. */
export interface StepPolicy {
  readonly attempts: number;
  readonly backoffMs: number;
  readonly factor: number;
  readonly maxBackoffMs: number;
  readonly jitter: number;
  readonly maxElapsedMs: number;
  readonly when: ((error: unknown, attempt: number) => boolean | Duration) | undefined;
  /** 0: none. */
  readonly timeoutMs: number;
}

export const defaultPolicy: StepPolicy = {
  attempts: 4,
  backoffMs: 1_000,
  factor: 2,
  maxBackoffMs: 300_000,
  jitter: 0.2,
  maxElapsedMs: Number.POSITIVE_INFINITY,
  when: undefined,
  timeoutMs: 0,
};

/** The policy of a step: what the call says, then `base`. @throws ContextError naming the setting and its value */
export function policyOf(
  options: { retry?: Retry | false; timeout?: Duration },
  base: StepPolicy,
  what: string,
): StepPolicy {
  if (options.retry === undefined && options.timeout === undefined) return base;
  const retry: Retry = options.retry === false ? { attempts: 1 } : (options.retry ?? {});
  const within = (name: "attempts" | "factor" | "jitter", min: number, max: number): number => {
    const value = retry[name];
    if (value === undefined) return base[name];
    if (typeof value === "number" && value >= min && value <= max) return value;
    throw new ContextError(`${what}: retry.${name} is ${String(value)}; it must be a number from ${min} to ${max}`);
  };
  const time = (value: Duration | undefined, fallback: number, name: string): number =>
    value === undefined ? fallback : durationMs(value, `${what}: ${name}`);
  return {
    attempts: within("attempts", 1, Number.POSITIVE_INFINITY),
    backoffMs: time(retry.backoff, base.backoffMs, "retry.backoff"),
    factor: within("factor", 1, 1_000),
    maxBackoffMs: time(retry.maxBackoff, base.maxBackoffMs, "retry.maxBackoff"),
    jitter: within("jitter", 0, 1),
    maxElapsedMs: time(retry.maxElapsed, base.maxElapsedMs, "retry.maxElapsed"),
    when: retry.when ?? base.when,
    timeoutMs: time(options.timeout, base.timeoutMs, "timeout"),
  };
}

/** Milliseconds until the next attempt, or undefined: the failure is final. `random`: [0, 1) for the jitter.
 *  Whatever `when` throws is thrown. */
export function nextAttemptIn(
  policy: StepPolicy,
  error: unknown,
  attempt: number,
  elapsedMs: number,
  random: number,
): number | undefined {
  if (attempt >= policy.attempts || isFinal(error)) return undefined;
  const verdict = policy.when?.(error, attempt) ?? true;
  if (verdict === false) return undefined;
  const waitMs =
    verdict === true ? backoffMs(policy, attempt, random) : durationMs(verdict, "the answer of retry.when");
  const delayMs = Math.max(waitMs, askedDelayMs(error));
  return elapsedMs + delayMs > policy.maxElapsedMs ? undefined : delayMs;
}

function backoffMs(policy: StepPolicy, attempt: number, random: number): number {
  // Without a wait there is nothing to grow; 0 times a factor that has outgrown all numbers is none.
  const grown = policy.backoffMs === 0 ? 0 : policy.backoffMs * policy.factor ** (attempt - 1);
  const full = Math.min(grown, policy.maxBackoffMs);
  return Math.round(full * (1 - policy.jitter * random));
}

function isFinal(error: unknown): boolean {
  return (
    isRuntaraError(error, "FATAL") ||
    isRuntaraError(error, "UNSTORABLE_VALUE") ||
    isRuntaraError(error, "UNSUPPORTED") ||
    isRuntaraError(error, "VALUE_TOO_LARGE") ||
    isRuntaraError(error, "CANCELLED")
  );
}

function askedDelayMs(error: unknown): number {
  if (!isRuntaraError(error, "RETRYABLE")) return 0;
  const { after } = error as RetryableError;
  return after === undefined ? 0 : durationMs(after, "RetryableError.after");
}
