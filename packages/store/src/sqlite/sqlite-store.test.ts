import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "@runtara/store";
import { describeStore } from "@runtara/store/testing";

describeStore("SQLite", async () => {
  const directory = mkdtempSync(join(tmpdir(), "runtara-store-"));
  return {
    open: () => openStore(`sqlite:${join(directory, "store.db")}`),
    dispose: async () => rmSync(directory, { recursive: true }),
  };
});
