import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storeContract } from "@runtara/store/testing";
import { openSqliteStore } from "./index.ts";

storeContract("SQLite, assisted", async () => {
  const directory = mkdtempSync(join(tmpdir(), "runtara-assisted-"));
  const location = { engine: "sqlite", path: join(directory, "store.db"), create: true } as const;
  return {
    open: () => openSqliteStore(location, { host: "assisted" }),
    dispose: async () => rmSync(directory, { recursive: true }),
  };
});
