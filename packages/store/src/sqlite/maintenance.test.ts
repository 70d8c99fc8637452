import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Store } from "@runtara/store";
import { backupDatabase, checkDatabase, openSqliteStore, vacuumDatabase } from "@runtara/store/sqlite";

let folder = "";
let store: Store;
const seed = new Uint8Array(16);
const location = () => ({ engine: "sqlite", path: join(folder, "store.db"), create: true }) as const;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "runtara-maintenance-"));
  store = await openSqliteStore(location());
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
  const copy = await openSqliteStore({ engine: "sqlite", path: target, create: false });
  const loaded = await copy.run({ kind: "loadCheckpoint", instanceId: "i", checkpointId: "step 49" });
  await copy.close();
  assert.equal(loaded.outcome, "found");
  assert.deepEqual(await checkDatabase({ engine: "sqlite", path: target, create: false }), []);
});

test("a backup ends while somebody else writes all the time, and has all that was acknowledged before it", async () => {
  for (let from = 1_000; from < 4_000; from += 500) await save(from, from + 500);
  const target = join(folder, "copy.db");
  let copying = true;
  let written = 0;
  const writing = (async () => {
    for (; copying; written += 1) await save(10_000 + written, 10_001 + written);
  })();
  while (written < 20) await setImmediate();
  const before = written;
  const { bytes } = await backupDatabase(location(), target).finally(() => {
    copying = false;
  });
  await writing;
  assert.ok(bytes > 50_000_000, `${bytes} bytes`);
  assert.ok(written > before, "it was written meanwhile");
  const copy = { engine: "sqlite", path: target, create: false } as const;
  assert.deepEqual(await checkDatabase(copy), []);
  const tables = new DatabaseSync(target);
  const ids = tables.prepare("SELECT checkpoint_id AS id FROM checkpoints").all();
  tables.close();
  const has = new Set(ids.map(({ id }) => id));
  for (let n = 0; n < before; n += 1) assert.ok(has.has(`step ${10_000 + n}`), `the ${n}th of ${before}`);
  for (let n = 1_000; n < 4_000; n += 1) assert.ok(has.has(`step ${n}`));
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
  let [instances, checkpoints] = [0, 0];
  for (let more = true; more; ) {
    const removed = await store.run(remove);
    instances += removed.instances;
    checkpoints += removed.checkpoints;
    more = removed.more;
  }
  assert.deepEqual([instances, checkpoints], [1, 50]);
  assert.ok(pages() < before, `${pages()} pages, ${before} before`);
  const { bytesBefore, bytesAfter } = await vacuumDatabase(location());
  assert.ok(bytesAfter <= bytesBefore);
  assert.deepEqual(await checkDatabase(location()), []);
});
