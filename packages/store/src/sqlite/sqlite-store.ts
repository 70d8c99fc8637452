import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Operation, OperationKind, OperationOf, ResultOf } from "../operations.ts";
import type { Done, Store } from "../store.ts";
import { BatchRunner, type Outcome } from "./batch-runner.ts";
import { bytesOf } from "./operations/index.ts";

/** `Done` of any operation; the outcome that it is called with belongs to its own. */
type AnyDone = (error: StoreError | undefined, result: unknown) => void;

/**
 * The store on one SQLite file, in the calling thread: a hop to a worker costs more than the statements of a checkpoint.
 * Operations of one turn of the event loop share a transaction and its single sync.
 */
export class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #runner: BatchRunner;
  #operations: Operation[] = [];
  #dones: AnyDone[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  #flushing = false;
  #closed = false;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#runner = new BatchRunner(database);
  }

  submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      setImmediate(() => done(refusal, undefined));
      return;
    }
    this.#operations.push(operation);
    this.#dones.push(done as AnyDone);
    this.#scheduled ??= setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      while (this.#operations.length > 0) this.#carryOut();
    } finally {
      this.#flushing = false;
      clearImmediate(this.#scheduled);
      this.#scheduled = undefined;
    }
  }

  run<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf[K]> {
    return new Promise((resolve, reject) => {
      const done: Done<ResultOf[K]> = (error, result) => {
        if (error === undefined) resolve(result);
        else reject(error);
      };
      this.submit<K>(operation, done);
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#database.close();
  }

  #refusal(): StoreError | undefined {
    if (this.#closed) return new StoreError("CLOSED", "the store has been closed");
    if (this.#operations.length < limits.queuedOperationsMax) return undefined;
    return new StoreError("OVERLOADED", `more than ${limits.queuedOperationsMax} operations wait; try again later`);
  }

  #carryOut(): void {
    const size = this.#nextBatchSize();
    const operations = this.#operations;
    const dones = this.#dones;
    this.#operations = operations.slice(size);
    this.#dones = dones.slice(size);
    const outcomes = this.#runner.run(size === operations.length ? operations : operations.slice(0, size));
    for (const [index, outcome] of outcomes.entries()) callSafely(dones[index], outcome);
  }

  #nextBatchSize(): number {
    const max = Math.min(this.#operations.length, limits.batchOperationsMax);
    let bytes = 0;
    for (let size = 0; size < max; size += 1) {
      const operation = this.#operations[size];
      if (operation !== undefined) bytes += bytesOf(operation);
      if (bytes > limits.batchBytesMax) return Math.max(size, 1);
    }
    return max;
  }
}

/** A callback that throws must not keep the others from hearing that their write is durable. */
function callSafely(done: AnyDone | undefined, { error, result }: Outcome): void {
  try {
    done?.(error, result);
  } catch (thrown) {
    process.nextTick(() => {
      throw thrown;
    });
  }
}
