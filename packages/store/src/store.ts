import type { StoreError } from "./errors.ts";
import type { OperationKind, OperationOf, ResultOf } from "./operations.ts";

/** Called once with the result, or with the error and nothing else. Test `error` first: it tells the two apart. */
export type Done<Result> = (
  ...outcome: [error: undefined, result: Result] | [error: StoreError, result: undefined]
) => void;

/**
 * The port that every engine implements.
 *
 * Operations gather until a flush and are then carried out together, in the order of their submission, in as few transactions as
 * the limits allow. `done` runs only after the commit that makes the operation durable, never inside `submit`. One operation's
 * failure leaves the others of its transaction alone.
 */
export interface Store {
  /** Takes an operation in. Without a `flush` it is carried out before the event loop's next turn of I/O. */
  submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void;

  /**
   * Carries out what has gathered now instead of at the end of this turn. An engine in this thread has called every `done` when it
   * returns; one in another process has only sent its statements.
   */
  flush(): void;

  /** `submit` with a promise, for everything that is not a hot path. Rejects with `StoreError`. */
  run<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf[K]>;

  /** Carries out what has gathered, then lets go of the database. Later operations fail with CLOSED. Idempotent. */
  close(): Promise<void>;
}
