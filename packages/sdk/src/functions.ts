// The free functions. They find their workflow by AsyncLocalStorage; `ctx` offers the same ones.

import type { Duration } from "./durations.ts";
import type { Context, StepFn, StepOptions } from "./run/context.ts";
import { currentContext } from "./run/frame.ts";
import type { Wait } from "./run/sleep.ts";

/** Runs `fn` until it succeeds or its retries end, stores the outcome and returns it; a replay returns the stored outcome and does not
 *  run `fn`. At least once, stored once: pass `s.idempotencyKey` on to what must not happen twice. It starts in the call, so
 *  `const p = step(…)` already runs.
 *  @throws what `fn` threw last, in its stored form; StepTimeoutError; CancelledError; UnstorableValueError, ValueTooLargeError;
 *  ContextError outside a workflow or in another step */
export function step<T>(name: string, fn: StepFn<T>, options?: StepOptions): Promise<T> {
  return currentContext("step").step(name, fn, options, step);
}

/** Waits durably: a crash neither restarts nor prolongs it. Counted from {@link now}. Without a name it is called "sleep".
 *  @throws CancelledError when the instance is cancelled or the wait is disarmed; ContextError */
export function sleep(duration: Duration): Wait<void>;
export function sleep(name: string, duration: Duration): Wait<void>;
export function sleep(nameOrDuration: Duration | string, duration?: Duration): Wait<void> {
  return currentContext("sleep").sleepFor(nameOrDuration, duration, sleep);
}

/** Waits durably until a time (a Date, or milliseconds since 1970); one that is past gives a wait that ends at once.
 *  @throws like {@link sleep} */
export function sleepUntil(name: string, when: Date | number): Wait<void> {
  return currentContext("sleepUntil").sleepUntil(name, when, sleepUntil);
}

/** Calls `fn` with counters of its own: the ids in it begin with the scope's. Names of one scope don't disturb those of another.
 *  @throws ContextError for a bad name, or nesting over 32; whatever `fn` throws */
export function scope<T>(name: string, fn: (ctx: Context) => Promise<T>): Promise<T> {
  return currentContext("scope").scope(name, fn);
}

/** Milliseconds since 1970 at the delivery that began this turn (in the first turn: at the start of the instance). Stands still within a
 *  turn, and is the same in a replay. */
export function now(): number {
  return currentContext("now").now();
}

/** A number in [0, 1) that is the same in a replay. Not for secrets. @throws ContextError in a step: use Math.random() there */
export function random(): number {
  return currentContext("random").random();
}

/** A UUID (version 4 form) that is the same in a replay. Not for secrets: for those, `step("token", () => crypto.randomUUID())`.
 *  @throws ContextError in a step */
export function uuid(): string {
  return currentContext("uuid").uuid();
}
