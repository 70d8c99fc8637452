import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { limits } from "../limits.ts";
import { openSqliteStore } from "./index.ts";

test("the write-ahead log begins anew while the calling thread writes all the time, and nothing is lost", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtara-assisted-"));
  const location = { engine: "sqlite", path: join(folder, "store.db"), create: true } as const;
  const store = await openSqliteStore(location, { host: "assisted" });
  const seed = new Uint8Array(16);
  const own = { instanceId: "i", tenantId: "t", checkTenant: false, seed, nowMs: 1, staleAfterMs: 0 };
  const save = (checkpointId: string, bytes: number) =>
    store.run({ kind: "saveCheckpoint", instanceId: "i", checkpointId, state: new Uint8Array(bytes), nowMs: 1 });
  try {
    await store.run({ kind: "registerInstance", ...own });
    let longest = 0;
    let rounds = 0;
    // However slow the second thread is: writing goes on until the log has begun anew.
    for (let pages = 0; pages >= longest / 2; rounds += 1) {
      assert.ok(rounds < 20_000, `${longest} pages and no new beginning`);
      await Promise.all(Array.from({ length: 10 }, (_, n) => save(`step ${rounds} ${n}`, rounds < 40 ? 50_000 : 100)));
      pages = store.stats().engine.walPages ?? 0;
      longest = Math.max(longest, pages);
    }
    assert.ok(longest >= limits.sqliteWalPagesMax, `begun anew after ${longest} pages`);
    const first = await save("step 0 0", 1);
    assert.ok(first.outcome === "found" && first.state.byteLength === 50_000);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
});
