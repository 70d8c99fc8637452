import type { StoreError } from "./errors.ts";
import type { OperationKind, OperationOf, ResultOf } from "./operations/index.ts";

/** Called once with the result, or with the error and nothing else. Test `error` first: it tells the two apart. */
export type Done<Result> = (
  ...outcome: [error: undefined, result: Result] | [error: StoreError, result: undefined]
) => void;

/**
 * Something has been committed that somebody may wait for. Only a hint: the truth is in the store, and a listener asks it. Told after the
 * `done` callbacks of the commit, once per flush and topic; from other processes within `limits.noticeDelayMs`, late or merged, never lost for
 * longer than `limits.pollEveryMs`.
 */
export type Notice =
  /** Something became claimable at `readyAtMs`, or earlier than before. */
  | { readonly topic: "work"; readonly tenantId: string; readonly workflow: string; readonly readyAtMs: number }
  /** A signal was sent, or a later registration has taken the instance. */
  | { readonly topic: "signal"; readonly instanceId: string }
  /** Status, history or published values have changed. From other processes only the status. */
  | { readonly topic: "instance"; readonly instanceId: string; readonly ended: boolean }
  /** Core has something to do by itself: fireDue not after `atMs`, or settleEnded now. */
  | { readonly topic: "due"; readonly atMs: number }
  /** A schedule fires at `atMs`, or earlier than before. */
  | { readonly topic: "schedule"; readonly atMs: number }
  /** Another process has written and it is not known what: look after everything you wait for. */
  | { readonly topic: "anything" };

/** What a store has done since it was opened; for metrics and for the benchmarks. */
export interface StoreStats {
  readonly operations: number;
  /** Transactions that wrote. */
  readonly transactions: number;
  readonly statements: number;
  /** Operations that wait. */
  readonly queued: number;
  readonly failures: number;
  /** SQLite: pages in the write-ahead log. PostgreSQL: connections in use. */
  readonly engine: Readonly<Record<string, number>>;
}

/**
 * The port that every engine implements.
 *
 * Operations gather until a flush and are then carried out together in as few transactions as the limits allow. Those of one instance take
 * effect in the order of their submission; between instances there is no order. `done` runs only after the commit that makes the operation
 * durable, never inside `submit`. One operation's failure leaves the others alone. A failure with code UNKNOWN_OUTCOME may have been
 * committed; every other failure has changed nothing.
 */
export interface Store {
  /** Takes an operation in. Without a `flush` it is carried out before the event loop's next turn of I/O. */
  submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void;

  /** Carries out what has gathered now instead of at the end of this turn. */
  flush(): void;

  /** `submit` with a promise, for everything that is not a hot path. Rejects with `StoreError`. */
  run<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf[K]>;

  /**
   * Tells `listener` of commits until the returned function is called. Other processes are looked at only while there is a listener. It must
   * not throw.
   */
  watch(listener: (notice: Notice) => void): () => void;

  stats(): StoreStats;

  /** Carries out what has gathered, then lets go of the database. Later operations fail with CLOSED. Idempotent. */
  close(): Promise<void>;
}
