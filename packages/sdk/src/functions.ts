// The free functions. They find their workflow by AsyncLocalStorage; `ctx` offers the same ones.

import type { Args, Child, SpawnOptions } from "./api/client.ts";
import type { Context, Log } from "./api/context.ts";
import type { Retry, StepContext, StepFn, StepOptions, Wait } from "./api/step.ts";
import type { AnyWorkflow, ContinueAsNew, InputOf } from "./api/workflow.ts";
import type { Duration } from "./durations.ts";
import { currentContext } from "./run/frame.ts";

/** Runs `fn` until it succeeds or its retries end, stores the outcome and returns it; a replay returns the stored outcome and does not
 *  run `fn`. At least once, stored once: pass `s.idempotencyKey` on to what must not happen twice. It starts in the call, so
 *  `const p = step(…)` already runs.
 *
 *  `compensate` is the undo: it is run, durably, when the workflow fails or is cancelled later; see {@link compensate}.
 *  @throws what `fn` threw last, in its stored form; StepTimeoutError; CancelledError; UnstorableValueError, ValueTooLargeError;
 *  ContextError outside a workflow or in another step */
export function step<T>(name: string, fn: StepFn<T>, options?: StepOptions<T>): Promise<T> {
  return currentContext("step").step(name, fn, options, step);
}

/** Waits durably: a crash neither restarts nor prolongs it. Counted from {@link now}. Without a name it is called "sleep". A long one gives the
 *  process back.
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

/** Takes the next signal of this name that nothing has taken yet, earlier ones included. With `timeout`: undefined when the time is up; the
 *  signal then stays for a later wait. Of several waits the newest is served first. The name may be sent by anyone: `handle.signal`,
 *  {@link sendSignal}, a Rust client.
 *  @throws CancelledError when the instance is cancelled or the wait is disarmed; ContextError */
export function waitFor<T = unknown>(signal: string): Wait<T>;
export function waitFor<T = unknown>(signal: string, options: { timeout: Duration }): Wait<T | undefined>;
export function waitFor<T = unknown>(signal: string, options?: { timeout: Duration }): Wait<T | undefined> {
  return currentContext("waitFor").waitFor<T | undefined>(signal, options, waitFor);
}

/** The first signal of several names; the others stay for later waits. Undefined when the time is up. @throws like {@link waitFor} */
export function waitForAny<const K extends string>(
  signals: readonly K[],
  options?: { timeout?: Duration },
): Wait<{ readonly name: K; readonly value: unknown } | undefined> {
  return currentContext("waitForAny").waitForAny(signals, options, waitForAny);
}

/** Sends a signal to another instance of this tenant. A step, so it is sent once, whatever crashes.
 *  @throws what the server says, such as that there is no such instance; CancelledError; ContextError */
export function sendSignal(instanceId: string, name: string, payload: unknown): Promise<void> {
  return currentContext("sendSignal").sendSignal(instanceId, name, payload, sendSignal);
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

/** For code that has changed: true where a run passes here first, and for ever after (stored); false for an instance that had gone further
 *  before the change. `if (await patched("fraud-check")) await step("check", …)`. When no old instance is left, take the call out.
 *  @throws CancelledError; ContextError */
export function patched(id: string): Promise<boolean> {
  return currentContext("patched").patched(id, patched);
}

/** Calls `fn` with counters of its own: the ids in it begin with the scope's. Names of one scope don't disturb those of another.
 *  @throws ContextError for a bad name, or nesting over 32; whatever `fn` throws */
export function scope<T>(name: string, fn: (ctx: Context) => Promise<T>): Promise<T> {
  return currentContext("scope").scope(name, fn);
}

/** Starts a child and returns at once. Its id is this one's, a dot and the checkpoint id unless `id` is given, so a repeated start is the same
 *  child. Its end comes back through `result()`, also to a parent that was put away meanwhile. When the parent ends, its children are cancelled,
 *  unless `detached`. `ref<typeof ship>("ship")` does where the code isn't loaded.
 *  @throws UnstorableValueError for the input; ContextError. `started` and `result()` reject with StartConflictError, UnsupportedError */
export function spawn<W extends AnyWorkflow>(workflow: W, ...args: Args<InputOf<W>, SpawnOptions>): Child<W> {
  return currentContext("spawn").spawnFrom(workflow, args[0], args[1], spawn);
}

/** To be returned: the instance goes on as a new run of the same workflow, with this input and an empty history. Signals that nobody has taken
 *  come along. @throws ContextError in a step. Made and not returned, it fails the instance */
export function continueAsNew<I>(input: I): ContinueAsNew {
  return currentContext("continueAsNew").continueAsNew(input);
}

/** Sets a value that can be read from outside while the instance runs and after it: `handle.published(key)`. The last one per key counts. Leaves
 *  with the results that come next; never twice. @throws UnstorableValueError, ValueTooLargeError, ValidationError; ContextError in a step */
export function publish(key: string, value: unknown): void {
  currentContext("publish").publish(key, value);
}

/** Writes a custom event into the history, once, however often the code is replayed. @throws UnstorableValueError; ContextError in a step */
export function emit(subtype: string, payload?: unknown): void {
  currentContext("emit").emit(subtype, payload);
}

/** The runtime's logger, with instance and workflow in each line; silent while replaying. */
export const log: Log = Object.freeze({
  debug: (message, fields) => currentContext("log.debug").log.debug(message, fields),
  info: (message, fields) => currentContext("log.info").log.info(message, fields),
  warn: (message, fields) => currentContext("log.warn").log.warn(message, fields),
  error: (message, fields) => currentContext("log.error").log.error(message, fields),
} satisfies Log);

/** Calls `fn`, synchronously, when a cancel is delivered: once, in the order of registration. What it throws is logged. */
export function onCancel(fn: (reason?: string) => void): void {
  currentContext("onCancel").onCancel(fn);
}

/** Registers an undo that belongs to no single step. When the workflow fails or is cancelled, all that were registered run in reverse order, one
 *  after another, each a durable step with 10 attempts by default; a crash resumes at the first unfinished one. One that fails for good is
 *  reported and the rest still run; the instance then fails with CompensationError. @throws ContextError */
export function compensate(name: string, fn: (s: StepContext) => unknown, options?: { retry?: Retry }): void {
  currentContext("compensate").compensate(name, fn, options, compensate);
}
