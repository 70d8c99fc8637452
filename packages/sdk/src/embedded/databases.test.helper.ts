import { join } from "node:path";
import { testDatabase } from "@runtara/store/testing/postgres";
import { type Cleaning, folder } from "./local.test.helper.ts";

/** The URL of a new database of either engine that several processes can share; gone after the test. */
export const databases: Readonly<Record<"sqlite" | "postgres", (t: Cleaning) => Promise<string>>> = {
  sqlite: async (t) => `sqlite:${join(folder(t), "work.db")}`,
  postgres: async (t) => {
    const database = await testDatabase();
    t.after(async () => {
      await database[Symbol.asyncDispose]();
    });
    return database.url;
  },
};
