import type { Duration } from "../durations.ts";
import type { Storable } from "../values/storable.ts";

/** What the body of a step is given. */
export interface StepContext {
  readonly name: string;
  readonly checkpointId: string;
  /** 1, 2, …; goes on counting after a crash. */
  readonly attempt: number;
  /** A UUID made of tenant, instance, run and checkpoint id: the same for every attempt and process. Pass it on to whatever must not happen
   *  twice. */
  readonly idempotencyKey: string;
  /** Aborts on time-out, on cancel, and when the run ends or goes elsewhere without this step. Made when it is read. */
  readonly signal: AbortSignal;
  /** Says that the body is alive; at most one call a second goes out. @throws CancelledError once the instance is cancelled */
  heartbeat(): void;
}

/** The body of a step. A generic helper takes a `StepFn<T>` and passes it on. */
export type StepFn<T> = ((s: StepContext) => T | PromiseLike<T>) & Storable<T>;

/** How a step is told apart, tried again and undone. */
export interface StepOptions<T> {
  /** Tells calls of one name apart by entity instead of by order: `charge(cust_1)`. Names stay few, so metrics group. */
  key?: string | number;
  /** False: one attempt. Members that are left out come from the workflow's `step.retry`, then from the defaults. */
  retry?: Retry | false;
  /** Per attempt: `s.signal` aborts, the attempt counts as failed, a late result is dropped. Default none. */
  timeout?: Duration;
  /** Undo, run durably if the workflow fails or is cancelled. Registered before the first attempt, so `result` is undefined when the step failed
   *  or its outcome is unknown: undo by the idempotency key then. */
  compensate?: (result: T | undefined, s: StepContext) => unknown;
}

/** When and how often a step is tried again. Count and time of the next attempt survive a crash; a long wait gives the process back. */
export interface Retry {
  /** Executions in all, the first included. Default 4; Infinity allowed. */
  attempts?: number;
  /** Wait before the second attempt. Default "1s". */
  backoff?: Duration;
  /** Each wait is this many times the one before. Default 2. */
  factor?: number;
  /** The longest wait. Default "5m". */
  maxBackoff?: Duration;
  /** Each wait is shortened by up to this share, 0 to 1. Default 0.2. */
  jitter?: number;
  /** No attempt begins later than this after the call. Default none. */
  maxElapsed?: Duration;
  /** Asked after a failed attempt: false gives up, a duration replaces the wait. Not asked for FatalError. */
  when?: (error: unknown, attempt: number) => boolean | Duration;
}

/** Settles like a promise. `cancel()`, or leaving a `using` block, disarms it: it rejects with CancelledError, which is no unhandled rejection.
 *  After it has settled, cancelling does nothing. */
export interface Wait<T> extends Promise<T>, Disposable {
  cancel(): void;
}

/** What `transaction` needs of a client of pg. */
export interface PgClientLike {
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
  /** True: it is not to be used again. */
  release(destroy?: boolean): void;
}

/** What `transaction` needs of a pool of pg. */
export interface PgPoolLike<C extends PgClientLike = PgClientLike> {
  connect(): Promise<C>;
}

/** The clients of a pool. That of pg has a second signature with a callback, from which alone TypeScript would infer. */
export type PgClientOf<P> = P extends { connect: { (): Promise<infer C>; (...rest: never[]): unknown } }
  ? unknown extends C
    ? OnlyClientOf<P>
    : C
  : never;
type OnlyClientOf<P> = P extends { connect(): Promise<infer C> } ? C : never;

/** What `transaction` needs of a DatabaseSync of node:sqlite. */
export interface SqliteLike {
  exec(sql: string): void;
  prepare(sql: string): { get(...values: (string | null)[]): unknown; run(...values: (string | null)[]): unknown };
}
