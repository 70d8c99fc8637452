import { after } from "node:test";
import { storeContract } from "@runtara/store/testing";
import { administer, type TestDatabase, testDatabase } from "../testing/postgres-server.ts";
import { openPostgresStore } from "./index.ts";
import { locationOf } from "./postgres.test.helper.ts";

// One database for all tests of this file: emptying it is much faster than making one.
let database: TestDatabase | undefined;

storeContract("postgres", async () => {
  database ??= await testDatabase();
  const { url } = database;
  return {
    open: () => openPostgresStore(locationOf(url)),
    dispose: async () => {
      await administer(
        url,
        "DELETE FROM instances; DELETE FROM workers; DELETE FROM lost_work; DELETE FROM workflow_schedules",
      );
    },
  };
});

after(() => database?.[Symbol.asyncDispose]());
