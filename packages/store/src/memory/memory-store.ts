import { StoreError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Operation, OperationKind, OperationOf, ResultOf } from "../operations/index.ts";
import type { Done, Notice, Store, StoreStats } from "../store.ts";
import { Context } from "./context.ts";
import { MemoryDatabase } from "./database.ts";
import { carryOut } from "./operations.ts";

/** `Done` of any operation; the outcome that it is called with belongs to its own. */
type AnyDone = (error: StoreError | undefined, result: unknown) => void;

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
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      setImmediate(() => done(refusal, undefined));
      return;
    }
    this.#waiting.push({ operation, done: done as AnyDone });
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
    this.#database.subscribers.tell(notices);
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

  watch(listener: (notice: Notice) => void): () => void {
    const stop = this.#database.subscribers.watch(listener);
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

  #refusal(): StoreError | undefined {
    if (this.#closed) return new StoreError("CLOSED", "the store has been closed: open it again");
    if (this.#waiting.length < limits.queuedOperationsMax) return undefined;
    return new StoreError("OVERLOADED", `more than ${limits.queuedOperationsMax} operations wait: try again later`);
  }

  /** Carries all out before it answers the first, as an engine with transactions does. */
  #carryOutBatch(notices: Notice[]): void {
    const batch = this.#waiting.splice(0, limits.batchOperationsMax);
    const context = new Context(this.#database);
    const outcomes = batch.map(({ operation }) => this.#attempt(context, operation));
    this.#stats.operations += batch.length;
    this.#stats.transactions += 1;
    notices.push(...context.notices);
    for (const [index, { done }] of batch.entries()) callSafely(done, outcomes[index]);
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

interface Outcome {
  readonly error: StoreError | undefined;
  readonly result: unknown;
}

function storeErrorFrom(cause: unknown, { kind }: Operation): StoreError {
  if (cause instanceof StoreError) return cause;
  return new StoreError("INTERNAL", `${kind} failed: ${String(cause)}`, { cause });
}

/** A callback that throws must not keep the others from hearing of their operations. */
function callSafely(done: AnyDone, outcome: Outcome | undefined): void {
  try {
    done(outcome?.error, outcome?.result);
  } catch (thrown) {
    process.nextTick(() => {
      throw thrown;
    });
  }
}
