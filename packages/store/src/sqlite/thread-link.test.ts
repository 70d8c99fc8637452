import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Operation, StoreError } from "@runtara/store";
import { openDatabase } from "./open-database.ts";
import { ThreadLink } from "./thread-link.ts";

test("a thread that dies: what it had may have been carried out, and the next operation starts another", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtara-dying-"));
  const path = join(folder, "store.db");
  (await openDatabase({ engine: "sqlite", path, create: true })).close();
  const events: string[] = [];
  const ignore = () => {};
  const link = new ThreadLink(
    { path },
    { onNotices: ignore, onWatching: ignore, onCheckpointed: ignore, onStats: ignore, onEnd: () => events.push("end") },
    new URL("./dying-thread.ts", import.meta.url),
  );
  const register: Operation = {
    kind: "registerInstance",
    instanceId: "i",
    tenantId: "t",
    checkTenant: false,
    seed: new Uint8Array(16),
    nowMs: 1,
    staleAfterMs: 0,
  };
  const send = () =>
    new Promise<string>((resolve) => {
      link.send([register], [(error: StoreError | undefined, _result) => resolve(error?.code ?? "done")]);
    });
  try {
    assert.deepEqual(await Promise.all([send(), send()]), ["UNKNOWN_OUTCOME", "UNKNOWN_OUTCOME"]);
    assert.deepEqual(events, ["end"]);
    assert.equal(link.size, 0);
    assert.equal(await send(), "done");
    await link.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
