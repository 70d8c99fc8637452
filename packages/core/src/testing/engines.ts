import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import {
  type Done,
  type Notice,
  type OperationKind,
  type OperationOf,
  openStore,
  type ResultOf,
  type Store,
  StoreError,
  type StoreStats,
} from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";
import { DatabaseTemplate } from "@runtara/store/testing/postgres";

/** An empty database for one test. `open` again = the same database, beside what is open or after all has been closed. */
export interface Database {
  open(): Promise<Store>;
  /** All stores have been closed before. */
  dispose(): Promise<void>;
}

/** A kind of database that core has to work on. */
export interface Engine {
  readonly name: string;
  create(): Promise<Database>;
}

const memory: Engine = {
  name: "memory",
  async create() {
    const store = openMemoryStore();
    return { open: async () => new Opening(store), dispose: () => store.close() };
  },
};

/** One opening of a store in memory: it ends by itself, and what it has written stays. */
class Opening implements Store {
  readonly #store: Store;
  readonly #unwatch = new Set<() => void>();
  #isClosed = false;

  constructor(store: Store) {
    this.#store = store;
  }

  submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void {
    if (this.#isClosed) setImmediate(() => done(closed(), undefined));
    else this.#store.submit(operation, done);
  }

  flush(): void {
    this.#store.flush();
  }

  run<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf[K]> {
    return this.#isClosed ? Promise.reject(closed()) : this.#store.run(operation);
  }

  watch(listener: (notice: Notice) => void): () => void {
    const unwatch = this.#store.watch(listener);
    this.#unwatch.add(unwatch);
    return unwatch;
  }

  stats(): StoreStats {
    return this.#store.stats();
  }

  async close(): Promise<void> {
    this.#store.flush();
    this.#isClosed = true;
    for (const unwatch of this.#unwatch) unwatch();
  }
}

function closed(): StoreError {
  return new StoreError("CLOSED", "the store has been closed");
}

const sqlite: Engine = {
  name: "SQLite",
  async create() {
    const folder = mkdtempSync(join(tmpdir(), "runtara-core-"));
    return {
      open: () => openStore(`sqlite:${join(folder, "core.db")}`),
      dispose: async () => rmSync(folder, { recursive: true }),
    };
  },
};

/** Has the tables already; made for the first test of a file that needs it. */
let template: Promise<DatabaseTemplate> | undefined;
after(async () => {
  await (await template)?.[Symbol.asyncDispose]();
});

const postgres: Engine = {
  name: "PostgreSQL",
  async create() {
    template ??= DatabaseTemplate.prepared(async (url) => (await openStore(url)).close());
    const database = await (await template).copy();
    return {
      open: () => openStore(database.url),
      async dispose() {
        await database[Symbol.asyncDispose]();
      },
    };
  },
};

/** Every engine there is; tests of promises run on each. ENGINES=memory,PostgreSQL names those that a run is about. */
export const engines: readonly Engine[] = [memory, sqlite, postgres].filter(({ name }) => {
  const named = process.env.ENGINES;
  return named === undefined || named.split(",").includes(name);
});
