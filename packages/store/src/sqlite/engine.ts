import type { DatabaseSync } from "node:sqlite";
import type { StoreError } from "../errors.ts";
import type { Operation, ResultOf } from "../operations/index.ts";
import type { Notice } from "../store.ts";
import { CheckpointIndex } from "./checkpoint-index.ts";
import { storeErrorFrom } from "./error-mapping.ts";
import { InstanceRows } from "./instance-rows.ts";
import { NoticeBox } from "./notice-box.ts";
import { Context } from "./operations/context.ts";
import { type Handlers, onlyReads, prepareHandlers } from "./operations/index.ts";
import { Connection } from "./statements.ts";

export type AnyResult = ResultOf[keyof ResultOf];
export type Outcome =
  | { readonly error: undefined; readonly result: AnyResult }
  | { readonly error: StoreError; readonly result: undefined };

/**
 * Carries out batches of operations, one transaction each, on one connection; it knows nothing of threads.
 *
 * Nearly always nothing fails, so a batch first runs without savepoints. If an operation throws, all is rolled back and the batch
 * runs again with a savepoint for each operation: the one that fails is told so, the others are committed. Operations are plain data
 * and refusals are results, not errors, so running them twice is harmless.
 */
export class Engine {
  readonly #connection: Connection;
  readonly #rows: InstanceRows;
  readonly #checkpoints: CheckpointIndex;
  readonly #notices = new NoticeBox();
  readonly #handlers: Handlers;
  readonly #statements;
  #dataVersion = -1;
  /** As `#dataVersion`, kept over rollbacks: which writes of others have been noticed. */
  #noticedVersion = -1;
  /** Others have written, and nobody has been told. It does not go with a transaction of ours that is rolled back. */
  #othersWrote = false;
  #transactions = 0;

  /** `unindexedRowsMax`: see CheckpointIndex. */
  constructor(database: DatabaseSync, unindexedRowsMax?: number) {
    const connection = new Connection(database);
    this.#connection = connection;
    this.#checkpoints = new CheckpointIndex(connection, unindexedRowsMax);
    this.#rows = new InstanceRows(connection, this.#checkpoints);
    this.#handlers = prepareHandlers(new Context(connection, this.#rows, this.#checkpoints, this.#notices));
    this.#statements = {
      beginRead: connection.prepare("BEGIN"),
      beginWrite: connection.prepare("BEGIN IMMEDIATE"),
      dataVersion: connection.prepare("PRAGMA data_version"),
      walSize: connection.prepare("PRAGMA wal_checkpoint(NOOP)"),
      commit: connection.prepare("COMMIT"),
      savepoint: connection.prepare("SAVEPOINT operation"),
      release: connection.prepare("RELEASE operation"),
      rollbackTo: connection.prepare("ROLLBACK TO operation"),
    };
  }

  /** Transactions that wrote. */
  get transactions(): number {
    return this.#transactions;
  }

  get statements(): number {
    return this.#connection.statements;
  }

  /** Whether committed changes are to be kept for `takeNotices`. */
  set watched(watched: boolean) {
    if (watched && !this.#notices.isOpen) this.#noticedVersion = this.dataVersion();
    this.#notices.isOpen = watched;
  }

  /** What the transactions since the last call have to tell. */
  takeNotices(): readonly Notice[] {
    const notices = this.#notices.take();
    if (!this.#othersWrote) return notices;
    this.#othersWrote = false;
    return [{ topic: "anything" }, ...notices];
  }

  /** Another number when another connection has committed since; only to be compared with this connection's own. */
  dataVersion(): number {
    return this.#statements.dataVersion.get<[number]>()?.[0] ?? -1;
  }

  /** Notes if another connection has written since this was looked at last. */
  lookForOthers(): void {
    this.#noteOthers(this.dataVersion());
  }

  /** Pages in the write-ahead log. */
  walPages(): number {
    return Math.max(0, this.#statements.walSize.get<[number, number, number]>()?.[1] ?? 0);
  }

  /** Of these, how many are not in the file yet. */
  walPagesLeft(): number {
    const [, pages = 0, moved = 0] = this.#statements.walSize.get<[number, number, number]>() ?? [];
    return Math.max(0, pages - moved);
  }

  /** One outcome per operation, in order; when it returns, what succeeded is durable. */
  run(batch: readonly Operation[]): Outcome[] {
    let started = false;
    const reads = batch.every(onlyReads);
    try {
      this.#begin(reads);
      started = true;
      const outcomes = batch.map((operation) => ({ error: undefined, result: this.#apply(operation) }));
      started = false;
      this.#commit(reads);
      return outcomes;
    } catch (cause) {
      this.#rollback();
      // A batch that could not begin or commit, or that is a single operation, has nothing to be told apart.
      if (!started || batch.length === 1) return allFailed(batch, cause);
    }
    return this.#runIsolated(batch, reads);
  }

  #runIsolated(batch: readonly Operation[], reads: boolean): Outcome[] {
    try {
      this.#begin(reads);
      const outcomes = batch.map((operation) => this.#applyIsolated(operation));
      this.#commit(reads);
      return outcomes;
    } catch (cause) {
      this.#rollback();
      return allFailed(batch, cause);
    }
  }

  #applyIsolated(operation: Operation): Outcome {
    this.#statements.savepoint.run();
    try {
      const result = this.#apply(operation);
      this.#rows.write();
      this.#statements.release.run();
      return { error: undefined, result };
    } catch (cause) {
      this.#forget();
      // Some failures (no space, no memory) make SQLite roll back the whole transaction by itself: then the batch has failed.
      if (!this.#connection.database.isTransaction) throw cause;
      this.#statements.rollbackTo.run();
      this.#statements.release.run();
      this.#refresh();
      return { error: storeErrorFrom(cause), result: undefined };
    }
  }

  #apply(operation: Operation): AnyResult {
    // The table pairs each kind with its own operation; TypeScript cannot follow that through an index.
    return (this.#handlers[operation.kind] as (operation: Operation) => AnyResult)(operation);
  }

  #begin(reads: boolean): void {
    (reads ? this.#statements.beginRead : this.#statements.beginWrite).run();
    this.#refresh();
  }

  /**
   * What is remembered between transactions stays exact: SQLite's `data_version` changes whenever another connection has committed
   * to the file, and inside our transaction nobody else can.
   */
  #refresh(): void {
    const version = this.dataVersion();
    if (version === this.#dataVersion) return;
    this.#noteOthers(version);
    this.#rows.forget();
    this.#checkpoints.refresh();
    this.#dataVersion = version;
  }

  #noteOthers(version: number): void {
    if (this.#notices.isOpen && this.#noticedVersion !== version) this.#othersWrote = true;
    this.#noticedVersion = version;
  }

  #forget(): void {
    this.#rows.forget();
    this.#checkpoints.forget();
    this.#dataVersion = -1;
  }

  #commit(reads: boolean): void {
    if (!reads) {
      this.#rows.write();
      this.#checkpoints.follow();
      this.#transactions += 1;
    }
    this.#statements.commit.run();
    this.#rows.shrink();
  }

  #rollback(): void {
    this.#forget();
    this.#notices.take();
    if (this.#connection.database.isTransaction) this.#connection.database.exec("ROLLBACK");
  }
}

function allFailed(batch: readonly Operation[], cause: unknown): Outcome[] {
  const error = storeErrorFrom(cause);
  return batch.map(() => ({ error, result: undefined }));
}
