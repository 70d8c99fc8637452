import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storeContract } from "@runtara/store/testing";
import { openSqliteStore } from "./index.ts";

storeContract("SQLite, thread", async () => {
  const directory = mkdtempSync(join(tmpdir(), "runtara-thread-"));
  const location = { engine: "sqlite", path: join(directory, "store.db"), create: true } as const;
  return {
    open: () => openSqliteStore(location, { host: "thread" }),
    dispose: async () => rmSync(directory, { recursive: true }),
  };
});
