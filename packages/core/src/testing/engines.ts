import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { openStore } from "@runtara/store";
import { memoryHarness, type StoreHarness } from "@runtara/store/testing";
import { DatabaseTemplate } from "@runtara/store/testing/postgres";

/** A kind of database that core has to work on; `create` makes an empty one, for one test. */
export interface Engine {
  readonly name: string;
  create(): Promise<StoreHarness>;
}

export const memoryEngine: Engine = { name: "memory", create: memoryHarness };

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
export const engines: readonly Engine[] = [memoryEngine, sqlite, postgres].filter(({ name }) => {
  const named = process.env.ENGINES;
  return named === undefined || named.split(",").includes(name);
});
