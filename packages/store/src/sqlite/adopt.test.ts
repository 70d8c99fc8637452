import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { openStore } from "@runtara/store";
import { checkDatabase, openSqliteStore, vacuumDatabase } from "@runtara/store/sqlite";
import { madeAt, originalInstances, startedAt, writeOriginal } from "./adopt.test.helper.ts";

let folder = "";
const path = () => join(folder, "store.db");
const location = () => ({ engine: "sqlite", path: path(), create: true }) as const;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "runtara-adopt-"));
  writeOriginal(path());
});
afterEach(() => rmSync(folder, { recursive: true }));

function change(sql: string): void {
  const tables = new DatabaseSync(path());
  tables.exec(sql);
  tables.close();
}

test("an original's file is taken over in place: nothing is lost, and work goes on", async () => {
  const store = await openSqliteStore(location());
  for (const instanceId of originalInstances) {
    const read = await store.run({ kind: "readInstance", instanceId });
    assert.ok(read.outcome === "found");
    const { status, tenantId, checkpointId, checkpointCount, epoch } = read.instance;
    assert.deepEqual(
      [status, tenantId, checkpointId, checkpointCount, epoch],
      ["running", "tenant-1", "b::retry::2", 2, 0],
    );
    assert.deepEqual([read.instance.createdAtMs, read.instance.startedAtMs], [madeAt.ms, startedAt.ms]);
    const first = await store.run({ kind: "loadCheckpoint", instanceId, checkpointId: "a" });
    assert.ok(first.outcome === "found");
    assert.equal(new TextDecoder().decode(first.state), "hello");
    const save = { kind: "saveCheckpoint", instanceId, state: new Uint8Array(1), nowMs: 9 } as const;
    assert.equal((await store.run({ ...save, checkpointId: "a" })).outcome, "found");
    assert.equal((await store.run({ ...save, checkpointId: "c" })).outcome, "saved");
  }
  await store.close();
  assert.deepEqual(await checkDatabase(location()), []);
  const again = await openSqliteStore(location());
  const listed = await again.run({ kind: "listCheckpoints", instanceId: "one", limit: 10 });
  await again.close();
  assert.ok(listed.outcome === "page");
  assert.deepEqual(
    listed.checkpoints.map(({ checkpointId, stateBytes }) => [checkpointId, stateBytes]),
    [
      ["c", 1],
      ["b::retry::2", 2],
      ["a", 5],
    ],
  );
});

test("signals, inputs, results and both forms of times come along; an unknown status counts as failed and an unknown signal as none", async () => {
  change(`
    INSERT INTO pending_signals (instance_id, signal_type, payload) VALUES ('one', 'pause', x'6869');
    INSERT INTO pending_signals (instance_id, signal_type, acknowledged_at) VALUES ('two', 'cancel', '2026-01-02 03:04:05');
    INSERT INTO pending_signals (instance_id, signal_type) VALUES ('three', 'hurry');
    INSERT INTO pending_custom_signals (instance_id, checkpoint_id, payload) VALUES ('one', 'go', x'01');
    UPDATE instances SET status = 'completed', output = x'7b7d', created_at = '2026-01-02 03:04:05',
      finished_at = '2026-01-02T03:04:06.500000000+00:00', input = x'31' WHERE instance_id = 'two';
    UPDATE instances SET status = 'lost in space' WHERE instance_id = 'three'`);
  const store = await openSqliteStore(location());
  const polled = await store.run({ kind: "pollSignals", instanceId: "one", checkpointId: "go", nowMs: 1 });
  assert.deepEqual(polled, {
    outcome: "polled",
    signal: { type: "pause", payload: Uint8Array.of(0x68, 0x69) },
    custom: { checkpointId: "go", payload: Uint8Array.of(1) },
  });
  const two = await store.run({ kind: "readInstance", instanceId: "two" });
  assert.ok(two.outcome === "found");
  const at = Date.UTC(2026, 0, 2, 3, 4, 5);
  assert.deepEqual([two.instance.createdAtMs, two.instance.finishedAtMs], [at, at + 1_500]);
  assert.deepEqual(two.instance.output, Uint8Array.of(0x7b, 0x7d));
  const acknowledged = await store.run({ kind: "pollSignals", instanceId: "two", nowMs: 1 });
  assert.ok(acknowledged.outcome === "polled" && acknowledged.signal === undefined);
  const three = await store.run({ kind: "readInstance", instanceId: "three" });
  assert.ok(three.outcome === "found");
  assert.deepEqual([three.instance.status, three.instance.reasonText], ["failed", "status was lost in space"]);
  const unknown = await store.run({ kind: "pollSignals", instanceId: "three", nowMs: 1 });
  assert.deepEqual(unknown, { outcome: "polled", signal: undefined, custom: undefined });
  await store.close();
  assert.deepEqual(await checkDatabase(location()), []);
});

test("a file of another version of the original stays as it is", async () => {
  change("ALTER TABLE instances DROP COLUMN stderr");
  await assert.rejects(openSqliteStore(location()), {
    code: "SCHEMA_INCOMPATIBLE",
    message: /column 'instances\.stderr' is missing; let 1\.4\.1 open it once/,
  });
  const tables = new DatabaseSync(path());
  assert.equal(tables.prepare("SELECT count(*) AS n FROM checkpoints").get()?.n, 6);
  assert.equal(tables.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'runtara_migrations'").get(), undefined);
  tables.close();
});

test("a second opening finds it taken over", async () => {
  const stores = await Promise.all([openSqliteStore(location()), openSqliteStore(location(), { host: "thread" })]);
  for (const store of stores) {
    const loaded = await store.run({ kind: "loadCheckpoint", instanceId: "two", checkpointId: "a" });
    assert.equal(loaded.outcome, "found");
  }
  for (const store of stores) await store.close();
});

async function saidWhileOpening(): Promise<string[]> {
  const said: string[] = [];
  await (await openStore(path(), { progress: (text) => said.push(text) })).close();
  return said;
}

test("taking over is said, and that the file keeps its size until it is vacuumed; then nothing more", async () => {
  const [taken = "", keeps = "", ...more] = await saidWhileOpening();
  assert.match(taken, /^taking over the file of the original/);
  assert.match(keeps, /keeps its size.* until `runtara database vacuum`/);
  assert.deepEqual([more, await saidWhileOpening()], [[], []]);
  await vacuumDatabase(location());
  const tables = new DatabaseSync(path());
  assert.equal(tables.prepare("PRAGMA auto_vacuum").get()?.auto_vacuum, 2);
  tables.close();
});

test("a file that gives back by itself is taken over without that word", async () => {
  change("PRAGMA auto_vacuum = INCREMENTAL; VACUUM");
  assert.equal((await saidWhileOpening()).length, 1);
});
