import type { DatabaseSync } from "node:sqlite";
import { batchSize, bytesOf } from "../engines/batches.ts";
import { type AnyDone, answer, isRefused, promised } from "../engines/callbacks.ts";
import { Listeners } from "../engines/listeners.ts";
import { limits } from "../limits.ts";
import type { Operation, OperationKind, OperationOf, ResultOf } from "../operations/index.ts";
import { kinds } from "../operations/kinds.ts";
import type { Done, Notice, Store, StoreStats } from "../store.ts";
import { Engine } from "./engine.ts";
import { onlyReads } from "./operations/index.ts";
import { ThreadLink } from "./thread-link.ts";
import type { ThreadStats } from "./thread-messages.ts";
import { WalKeeper } from "./wal-keeper.ts";

/**
 * The store on one SQLite file, with a thread that writes: syncing does not hold up the calling thread, and what gathers meanwhile shares
 * the next transaction. Short reads of instances that have nothing under way are made here, on a connection of their own; long ones by
 * another thread, which also moves the write-ahead log into the file.
 */
export class ThreadStore implements Store {
  readonly #database: DatabaseSync;
  readonly #reader: Engine;
  readonly #writer: ThreadLink;
  readonly #helper: ThreadLink;
  readonly #wal: WalKeeper;
  readonly #listeners = new Listeners();
  #operations: Operation[] = [];
  #dones: AnyDone[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  #flushing = false;
  #closed = false;
  #readHere = 0;
  #watchedFrom = -1;
  #failures = 0;
  #stats: ThreadStats = { transactions: 0, statements: 0, walPages: 0 };

  /** `database` is for reading; it has the newest schema. */
  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#reader = new Engine(database);
    const ignore = () => {};
    this.#writer = new ThreadLink(
      { path },
      {
        onNotices: (notices) => this.#listeners.tell(notices),
        onWatching: () => this.#tellWhatWasMissed(),
        onCheckpointed: (walPages) => this.#wal.finished(walPages),
        onStats: (stats) => {
          this.#stats = stats;
          this.#wal.grown(stats.walPages);
        },
        onEnd: () => this.#wal.reset(),
      },
    );
    this.#helper = new ThreadLink(
      { path },
      {
        onNotices: ignore,
        onWatching: ignore,
        onCheckpointed: (_, left) => this.#wal.moved(left),
        onStats: ignore,
        onEnd: () => this.#wal.reset(),
      },
    );
    this.#wal = new WalKeeper({
      move: () => this.#helper.checkpoint(),
      finish: () => this.#writer.checkpoint(),
    });
  }

  submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void {
    const anyDone = done as AnyDone;
    if (isRefused(anyDone, this.#closed, this.#queued)) return;
    this.#operations.push(operation);
    this.#dones.push(anyDone);
    this.#scheduled ??= setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      // What callbacks submit meanwhile waits for the next turn, so that the event loop has its own.
      if (this.#operations.length > 0) this.#dealOut();
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
    if (this.#listeners.size === 0) this.#watchedFrom = this.#reader.dataVersion();
    const leave = this.#listeners.add(listener);
    this.#writer.watch(true);
    return () => {
      leave();
      this.#writer.watch(this.#listeners.size > 0);
    };
  }

  stats(): StoreStats {
    const { transactions, statements, walPages } = this.#stats;
    return {
      operations: this.#writer.carriedOut + this.#helper.carriedOut + this.#readHere,
      transactions,
      statements: statements + this.#reader.statements,
      queued: this.#queued,
      failures: this.#writer.failures + this.#helper.failures + this.#failures,
      engine: { walPages },
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    while (this.#operations.length > 0) this.flush();
    this.#closed = true;
    this.#listeners.clear();
    await Promise.all([this.#writer.close(), this.#helper.close()]);
    this.#database.close();
  }

  get #queued(): number {
    return this.#operations.length + this.#writer.size + this.#helper.size;
  }

  /** The thread begins to watch a little later than was asked for. */
  #tellWhatWasMissed(): void {
    if (this.#closed) return;
    const version = this.#reader.dataVersion();
    if (version !== this.#watchedFrom) this.#listeners.tell([{ topic: "anything" }]);
    this.#watchedFrom = version;
  }

  /** Gives each operation that has gathered to whom it belongs, in their order. */
  #dealOut(): void {
    const operations = this.#operations;
    const dones = this.#dones;
    this.#operations = [];
    this.#dones = [];
    const writes = new Deal();
    const reads = new Deal();
    const longReads = new Deal();
    for (const [index, operation] of operations.entries()) {
      const done = dones[index];
      if (done !== undefined) this.#dealFor(operation, writes, reads, longReads).add(operation, done);
    }
    this.#writer.send(writes.operations, writes.dones);
    this.#helper.send(longReads.operations, longReads.dones);
    this.#readAll(reads);
  }

  #dealFor(operation: Operation, writes: Deal, reads: Deal, longReads: Deal): Deal {
    if (!onlyReads(operation)) return writes;
    if ("instanceId" in operation) {
      const { instanceId } = operation;
      // Behind the writes that were submitted before it.
      if (this.#writer.concerns(instanceId) || writes.concerns(instanceId)) return writes;
    }
    const isShort = kinds[operation.kind].instance || operation.kind === "readSignals";
    return isShort ? reads : longReads;
  }

  #readAll({ operations, dones }: Deal): void {
    let rest: readonly Operation[] = operations;
    let first = 0;
    while (rest.length > 0) {
      const size = batchSize(rest, bytesOf, limits.batchBytesMax);
      const outcomes = this.#reader.run(rest.slice(0, size));
      this.#readHere += size;
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.error !== undefined) this.#failures += 1;
        answer(dones[first + index], outcome);
      }
      first += size;
      rest = rest.slice(size);
    }
  }
}

/** Operations for one connection. */
class Deal {
  readonly operations: Operation[] = [];
  readonly dones: AnyDone[] = [];

  add(operation: Operation, done: AnyDone): void {
    this.operations.push(operation);
    this.dones.push(done);
  }

  concerns(instanceId: string): boolean {
    return this.operations.some((operation) => "instanceId" in operation && operation.instanceId === instanceId);
  }
}
