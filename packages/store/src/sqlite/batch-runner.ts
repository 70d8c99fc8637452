import type { DatabaseSync } from "node:sqlite";
import type { StoreError } from "../errors.ts";
import type { Operation, ResultOf } from "../operations.ts";
import { CheckpointIndex } from "./checkpoint-index.ts";
import { storeErrorFrom } from "./error-mapping.ts";
import { InstanceRows } from "./instance-rows.ts";
import { type Handlers, onlyReads, prepareHandlers } from "./operations/index.ts";
import { prepareArrays } from "./statements.ts";

export type AnyResult = ResultOf[keyof ResultOf];
export type Outcome =
  | { readonly error: undefined; readonly result: AnyResult }
  | { readonly error: StoreError; readonly result: undefined };

/**
 * Carries out batches of operations, one transaction each.
 *
 * Nearly always nothing fails, so a batch first runs without savepoints. If an operation throws, all is rolled back and the batch
 * runs again with a savepoint for each operation: the one that fails is told so, the others are committed. Operations are plain data
 * and refusals are results, not errors, so running them twice is harmless.
 */
export class BatchRunner {
  readonly #database: DatabaseSync;
  readonly #rows: InstanceRows;
  readonly #checkpoints: CheckpointIndex;
  readonly #handlers: Handlers;
  readonly #statements;
  #dataVersion = -1;

  /** `unindexedRowsMax`: see CheckpointIndex. */
  constructor(database: DatabaseSync, unindexedRowsMax?: number) {
    this.#database = database;
    this.#checkpoints = new CheckpointIndex(database, unindexedRowsMax);
    this.#rows = new InstanceRows(database, this.#checkpoints);
    this.#handlers = prepareHandlers({ database, rows: this.#rows, checkpoints: this.#checkpoints });
    this.#statements = {
      beginRead: database.prepare("BEGIN"),
      beginWrite: database.prepare("BEGIN IMMEDIATE"),
      dataVersion: prepareArrays(database, "PRAGMA data_version"),
      commit: database.prepare("COMMIT"),
      savepoint: database.prepare("SAVEPOINT operation"),
      release: database.prepare("RELEASE operation"),
      rollbackTo: database.prepare("ROLLBACK TO operation"),
    };
  }

  /** One outcome per operation, in order; when it returns, what succeeded is durable. */
  run(batch: readonly Operation[]): Outcome[] {
    let started = false;
    try {
      this.#begin(batch);
      started = true;
      const outcomes = batch.map((operation) => ({ error: undefined, result: this.#apply(operation) }));
      started = false;
      this.#commit();
      return outcomes;
    } catch (cause) {
      this.#rollback();
      // A batch that could not begin or commit, or that is a single operation, has nothing to be told apart.
      if (!started || batch.length === 1) return allFailed(batch, cause);
    }
    return this.#runIsolated(batch);
  }

  #runIsolated(batch: readonly Operation[]): Outcome[] {
    try {
      this.#begin(batch);
      const outcomes = batch.map((operation) => this.#applyIsolated(operation));
      this.#commit();
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
      this.#rows.writeTouched();
      this.#statements.release.run();
      return { error: undefined, result };
    } catch (cause) {
      this.#forget();
      // Some failures (no space, no memory) make SQLite roll back the whole transaction by itself: then the batch has failed.
      if (!this.#database.isTransaction) throw cause;
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

  #begin(batch: readonly Operation[]): void {
    (batch.every(onlyReads) ? this.#statements.beginRead : this.#statements.beginWrite).run();
    this.#refresh();
  }

  /**
   * What is remembered between transactions stays exact: SQLite's `data_version` changes whenever another connection has committed
   * to the file, and inside our transaction nobody else can.
   */
  #refresh(): void {
    const version = (this.#statements.dataVersion.get() as unknown as [number])[0];
    if (version === this.#dataVersion) return;
    this.#rows.forget();
    this.#checkpoints.refresh();
    this.#dataVersion = version;
  }

  #forget(): void {
    this.#rows.forget();
    this.#checkpoints.forget();
    this.#dataVersion = -1;
  }

  #commit(): void {
    this.#rows.writeTouched();
    this.#checkpoints.indexIfDue();
    this.#statements.commit.run();
    this.#rows.shrink();
  }

  #rollback(): void {
    this.#forget();
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }
}

function allFailed(batch: readonly Operation[], cause: unknown): Outcome[] {
  const error = storeErrorFrom(cause);
  return batch.map(() => ({ error, result: undefined }));
}
