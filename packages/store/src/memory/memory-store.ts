import { type AnyDone, answer, isRefused, type Outcome, promised } from "../engines/callbacks.ts";
import { merged } from "../engines/notices.ts";
import { StoreError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Operation, OperationKind, OperationOf, ResultOf } from "../operations/index.ts";
import type { Done, Notice, Store, StoreStats } from "../store.ts";
import { Context } from "./context.ts";
import { MemoryDatabase } from "./database.ts";
import { carryOut } from "./operations.ts";

/** A store in the memory of this process, for tests and as the reference of what an engine does. */
export interface MemoryStore extends Store {
  /** Another store with the same content, which from now on goes its own way. */
  copy(): MemoryStore;
}

/** Opens an empty store. Nothing of it outlives the process. */
export function openMemoryStore(): MemoryStore {
  return new InMemoryStore(new MemoryDatabase());
}

/** One opening of a database in memory; several share what they write. */
export class InMemoryStore implements MemoryStore {
  readonly #database: MemoryDatabase;
  readonly #unwatch = new Set<() => void>();
  #waiting: { readonly operation: Operation; readonly done: AnyDone }[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  #flushing = false;
  #closed = false;
  #stats = { operations: 0, transactions: 0, statements: 0, failures: 0 };

  constructor(database: MemoryDatabase) {
    this.#database = database;
  }

  submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void {
    const anyDone = done as AnyDone;
    if (isRefused(anyDone, this.#closed, this.#waiting.length)) return;
    this.#waiting.push({ operation, done: anyDone });
    this.#scheduled ??= setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    const notices: Notice[] = [];
    try {
      while (this.#waiting.length > 0) this.#carryOutBatch(notices);
    } finally {
      this.#flushing = false;
      clearImmediate(this.#scheduled);
      this.#scheduled = undefined;
    }
    const { listeners } = this.#database;
    if (listeners.size > 0) listeners.tell(merged(notices));
  }

  run<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf[K]> {
    return promised(this, operation);
  }

  watch(listener: (notice: Notice) => void): () => void {
    if (this.#closed) return () => {};
    const stop = this.#database.listeners.add(listener);
    this.#unwatch.add(stop);
    return () => {
      stop();
      this.#unwatch.delete(stop);
    };
  }

  stats(): StoreStats {
    return {
      ...this.#stats,
      queued: this.#waiting.length,
      engine: { instances: this.#database.instances.size, workers: this.#database.workers.size },
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    for (const stop of this.#unwatch) stop();
    this.#unwatch.clear();
  }

  copy(): MemoryStore {
    return new InMemoryStore(this.#database.copy());
  }

  /** Carries all out before it answers the first, as an engine with transactions does. */
  #carryOutBatch(notices: Notice[]): void {
    const batch = this.#waiting.splice(0, limits.batchOperationsMax);
    const context = new Context(this.#database);
    const outcomes = batch.map(({ operation }) => this.#attempt(context, operation));
    this.#stats.operations += batch.length;
    this.#stats.transactions += 1;
    notices.push(...context.notices);
    for (const [index, outcome] of outcomes.entries()) answer(batch[index]?.done, outcome);
  }

  #attempt(context: Context, operation: Operation): Outcome {
    this.#stats.statements += 1;
    try {
      return { error: undefined, result: carryOut(context, operation) };
    } catch (cause) {
      this.#stats.failures += 1;
      return { error: storeErrorFrom(cause, operation), result: undefined };
    }
  }
}

function storeErrorFrom(cause: unknown, { kind }: Operation): StoreError {
  if (cause instanceof StoreError) return cause;
  return new StoreError("INTERNAL", `${kind} failed: ${String(cause)}`, { cause });
}
