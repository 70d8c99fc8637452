import type { DatabaseSync } from "node:sqlite";
import { batchSize, bytesOf } from "../engines/batches.ts";
import { type AnyDone, answer, isRefused, promised } from "../engines/callbacks.ts";
import { Listeners } from "../engines/listeners.ts";
import { limits } from "../limits.ts";
import type { Operation, OperationKind, OperationOf, ResultOf } from "../operations/index.ts";
import type { Done, Notice, Store, StoreStats } from "../store.ts";
import { Engine } from "./engine.ts";
import type { WalAssistant } from "./wal-assistant.ts";

/**
 * The store on one SQLite file, in the calling thread: the shortest way for one who waits for each answer. Operations of one turn of the
 * event loop share a transaction and its single sync.
 */
export class InlineStore implements Store {
  readonly #database: DatabaseSync;
  readonly #engine: Engine;
  readonly #listeners = new Listeners();
  readonly #assistant: WalAssistant | undefined;
  #operations: Operation[] = [];
  #dones: AnyDone[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  #looking: NodeJS.Timeout | undefined;
  #flushing = false;
  #closed = false;
  #carriedOut = 0;
  #failures = 0;

  /** `assist`: a thread moves the write-ahead log into the file. Else this one does, 20 to 30 ms each time. */
  constructor(database: DatabaseSync, assist?: (engine: Engine) => WalAssistant) {
    this.#database = database;
    this.#engine = new Engine(database);
    this.#assistant = assist?.(this.#engine);
  }

  submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void {
    const anyDone = done as AnyDone;
    if (isRefused(anyDone, this.#closed, this.#operations.length)) return;
    this.#operations.push(operation);
    this.#dones.push(anyDone);
    this.#scheduled ??= setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      // What callbacks submit meanwhile waits for the next turn, so that the event loop has its own.
      for (let rest = this.#operations.length; rest > 0; ) rest -= this.#carryOut();
    } finally {
      this.#flushing = false;
      clearImmediate(this.#scheduled);
      this.#scheduled = this.#operations.length === 0 ? undefined : setImmediate(() => this.flush());
    }
  }

  run<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf[K]> {
    return promised(this, operation);
  }

  watch(listener: (notice: Notice) => void): () => void {
    if (this.#closed) return () => {};
    const leave = this.#listeners.add(listener);
    this.#heed();
    return () => {
      leave();
      this.#heed();
    };
  }

  stats(): StoreStats {
    return {
      operations: this.#carriedOut,
      transactions: this.#engine.transactions,
      statements: this.#engine.statements,
      queued: this.#operations.length,
      failures: this.#failures,
      engine: { walPages: this.#closed ? 0 : this.#engine.walPages() },
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    while (this.#operations.length > 0) this.flush();
    this.#closed = true;
    this.#listeners.clear();
    this.#heed();
    await this.#assistant?.close();
    this.#database.close();
  }

  /** Notices are gathered, and other processes looked at, only while somebody listens. */
  #heed(): void {
    const watched = this.#listeners.size > 0;
    this.#engine.watched = watched;
    if (watched) this.#looking ??= setInterval(() => this.#lookForOthers(), limits.pollEveryMs / 2);
    else {
      clearInterval(this.#looking);
      this.#looking = undefined;
    }
  }

  #lookForOthers(): void {
    this.#engine.lookForOthers();
    this.#listeners.tell(this.#engine.takeNotices());
  }

  /** How many it has carried out. */
  #carryOut(): number {
    const operations = this.#operations;
    const dones = this.#dones;
    const size = batchSize(operations, bytesOf, limits.batchBytesMax);
    this.#operations = operations.slice(size);
    this.#dones = dones.slice(size);
    const outcomes = this.#engine.run(size === operations.length ? operations : operations.slice(0, size));
    this.#carriedOut += size;
    const notices = this.#engine.takeNotices();
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.error !== undefined) this.#failures += 1;
      answer(dones[index], outcome);
    }
    this.#listeners.tell(notices);
    this.#assistant?.committed();
    return size;
  }
}
