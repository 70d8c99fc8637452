import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import type { Store } from "@runtara/store";
import { backupDatabase, checkDatabase, openSqliteStore, vacuumDatabase } from "@runtara/store/sqlite";

let folder = "";
let store: Store;
const seed = new Uint8Array(16);
const location = () => ({ engine: "sqlite", path: join(folder, "store.db"), create: true }) as const;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "runtara-maintenance-"));
  store = openSqliteStore(location());
  await store.run({
    kind: "registerInstance",
    instanceId: "i",
    tenantId: "t",
    checkTenant: false,
    seed,
    nowMs: 1,
    staleAfterMs: 0,
  });
  await save(0, 50);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

async function save(from: number, to: number): Promise<void> {
  const state = new Uint8Array(20_000).fill(97);
  const ids = Array.from({ length: to - from }, (_, n) => `step ${from + n}`);
  await Promise.all(
    ids.map((checkpointId) => store.run({ kind: "saveCheckpoint", instanceId: "i", checkpointId, state, nowMs: 1 })),
  );
}

test("a backup made while somebody writes has what was committed, and opens by itself", async () => {
  const target = join(folder, "copy.db");
  const [{ bytes }] = await Promise.all([backupDatabase(location(), target), save(50, 80)]);
  assert.ok(bytes > 50 * 20_000);
  const copy = openSqliteStore({ engine: "sqlite", path: target, create: false });
  const loaded = await copy.run({ kind: "loadCheckpoint", instanceId: "i", checkpointId: "step 49" });
  await copy.close();
  assert.equal(loaded.outcome, "found");
  assert.deepEqual(await checkDatabase({ engine: "sqlite", path: target, create: false }), []);
});

test("a backup never writes over a file, and a missing source is told", async () => {
  const target = join(folder, "copy.db");
  writeFileSync(target, "mine");
  await assert.rejects(backupDatabase(location(), target), { code: "OPEN_FAILED" });
  const missing = { engine: "sqlite", path: join(folder, "none.db"), create: true } as const;
  await assert.rejects(backupDatabase(missing, join(folder, "other.db")), { code: "OPEN_FAILED" });
  assert.ok(!existsSync(missing.path));
});

test("a check finds an index without its log, and a count that is wrong", async () => {
  assert.deepEqual(await checkDatabase(location()), []);
  const tables = new DatabaseSync(location().path);
  tables.exec("INSERT INTO checkpoint_ids SELECT instance_key, 'ghost', 999 FROM instances");
  tables.exec("UPDATE instances SET queued_signal_count = 3");
  tables.close();
  assert.deepEqual(await checkDatabase(location()), [
    "1 checkpoints are in the index and not in the log",
    "1 instances have another number of queued signals than they say",
  ]);
});

test("new files give back what retention removes; a vacuum closes all gaps", async () => {
  await store.run({ kind: "appendEvent", instanceId: "i", type: "completed", createdAtMs: 2, nowMs: 2 });
  const pages = () => {
    const tables = new DatabaseSync(location().path);
    const count = Number(tables.prepare("PRAGMA page_count").get()?.page_count);
    tables.close();
    return count;
  };
  const before = pages();
  const remove = { kind: "removeOld", instancesEndedBeforeMs: 10, limit: 1_000, nowMs: 20 } as const;
  const removed = await store.run(remove);
  assert.deepEqual([removed.instances, removed.checkpoints], [1, 50]);
  assert.ok(pages() < before, `${pages()} pages, ${before} before`);
  const { bytesBefore, bytesAfter } = await vacuumDatabase(location());
  assert.ok(bytesAfter <= bytesBefore);
  assert.deepEqual(await checkDatabase(location()), []);
});
