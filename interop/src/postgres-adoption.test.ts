// SPDX-License-Identifier: AGPL-3.0-or-later
// Our store takes over a PostgreSQL database that the original core wrote, in place, and the original goes on with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore, type Store, StoreError } from "@runtara/store";
import { administer, type TestDatabase, testDatabase } from "@runtara/store/testing/postgres";
import { hex } from "./bytes.ts";
import { DriverPeer, ServerPeer } from "./peer.ts";

const deadline = { timeout: 120_000 };

/** Every row of the original's tables as the server prints it, in the original's columns. Retry records are left out: they move. */
const originalRows = {
  instances: `SELECT instance_id, tenant_id, definition_version, status, checkpoint_id, attempt, max_attempts, created_at, started_at,
    finished_at, sleep_until, output, error, stderr, input, memory_peak_bytes, cpu_usage_usec FROM instances ORDER BY instance_id`,
  checkpoints: `SELECT id, instance_id, checkpoint_id, state, created_at, is_retry_attempt, attempt_number, error_message
    FROM checkpoints WHERE NOT is_retry_attempt ORDER BY id`,
  events:
    "SELECT id, instance_id, event_type, checkpoint_id, payload, created_at, subtype FROM instance_events ORDER BY id",
  signals:
    "SELECT instance_id, signal_type, payload, created_at, acknowledged_at FROM pending_signals ORDER BY instance_id",
  slots: "SELECT id, instance_id, checkpoint_id, payload, created_at FROM pending_checkpoint_signals ORDER BY id",
  migrations:
    "SELECT version, description, installed_on, success, checksum, execution_time FROM _sqlx_migrations ORDER BY version",
};

async function snapshot(database: TestDatabase): Promise<Record<string, (string | null)[][]>> {
  const tables: Record<string, (string | null)[][]> = {};
  for (const [name, text] of Object.entries(originalRows)) tables[name] = await administer(database.url, text);
  return tables;
}

async function withOriginal(database: TestDatabase, work: (core: ServerPeer) => Promise<void>): Promise<void> {
  await using core = await ServerPeer.start("original-core", "127.0.0.1:0", database.url);
  await work(core);
}

async function program(core: ServerPeer, instanceId: string): Promise<DriverPeer> {
  const sdk = new DriverPeer("sdk-driver", core.address, instanceId, "tenant");
  await sdk.ok({ call: "init" });
  return sdk;
}

/** A bit of everything that the original stores. */
async function writeWithOriginal(core: ServerPeer, database: TestDatabase): Promise<void> {
  await using running = await program(core, "running");
  await running.ok({ call: "checkpoint", id: "é/1", state: "00ff0a" });
  await running.ok({ call: "checkpoint", id: "plain::retry::2", state: "aa" });
  const retries = "SELECT count(*)::int FROM checkpoints WHERE is_retry_attempt";
  for (const attempt of [1, 2]) {
    await running.ok({ call: "record_retry_attempt", id: "charge", attempt, error: `timed out, ${attempt}` });
    // Fire and forget: seen a little later.
    while ((await administer(database.url, retries))[0]?.[0] !== String(attempt))
      await running.ok({ call: "heartbeat" });
  }
  await running.ok({ call: "checkpoint", id: "2", state: "" });
  await running.ok({ call: "custom_event", subtype: "workflow_log", payload: hex('{"a":1}') });
  await using completed = await program(core, "completed");
  await completed.ok({ call: "completed", output: hex('{"sum":18446744073709551615}') });
  await using failed = await program(core, "failed");
  await failed.ok({ call: "failed", error: "no more paper" });
  await using suspended = await program(core, "suspended");
  await suspended.ok({ call: "checkpoint", id: "a", state: "01" });
  await suspended.ok({ call: "suspended" });
  // As the original's environment writes them.
  await administer(
    database.url,
    `INSERT INTO pending_signals (instance_id, signal_type, payload) VALUES ('suspended', 'cancel', NULL);
     INSERT INTO pending_checkpoint_signals (instance_id, checkpoint_id, payload) VALUES ('running', 'approved', 'yes');`,
  );
}

function closing(store: Store): Store & AsyncDisposable {
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

async function opened(database: TestDatabase): Promise<void> {
  await (await openStore(database.url)).close();
}

test("a PostgreSQL database of the original is adopted in place, byte for byte", deadline, async () => {
  await using database = await testDatabase();
  await withOriginal(database, (core) => writeWithOriginal(core, database));
  const before = await snapshot(database);
  assert.deepEqual(
    Object.values(before).map((rows) => rows.length),
    [4, 4, before.events?.length, 1, 1, 5],
  );
  const retries = await administer(
    database.url,
    `SELECT id, error_message, floor(extract(epoch FROM created_at)::numeric * 1000)::text FROM checkpoints
     WHERE is_retry_attempt ORDER BY id`,
  );
  await opened(database);
  assert.deepEqual(await snapshot(database), before);
  const moved = "SELECT position, error_message, created_ms::text FROM retry_attempts ORDER BY position";
  assert.deepEqual(await administer(database.url, moved), retries);
  const numbered = "SELECT instance_id, checkpoint_id, attempt, next_ms FROM retry_attempts ORDER BY position";
  assert.deepEqual(await administer(database.url, numbered), [
    ["running", "charge", "1", null],
    ["running", "charge", "2", null],
  ]);
  await using store = closing(await openStore(database.url));
  const read = (instanceId: string, checkpointId: string) =>
    store.run({ kind: "loadCheckpoint", instanceId, checkpointId });
  for (const [checkpointId, state] of [
    ["é/1", "00ff0a"],
    ["plain::retry::2", "aa"],
    ["2", ""],
  ] as const) {
    const found = await read("running", checkpointId);
    assert.ok(found.outcome === "found" && hex(found.state) === state, checkpointId);
  }
  // A retry record is still found under the id that the original gave it.
  const retry = await read("running", "charge::retry::1");
  assert.ok(retry.outcome === "found" && hex(retry.state) === "");
  assert.deepEqual(await snapshot(database), before);
});

test("the original starts again on an adopted database and finds everything", deadline, async () => {
  await using database = await testDatabase();
  await withOriginal(database, (core) => writeWithOriginal(core, database));
  await opened(database);
  await withOriginal(database, async (core) => {
    await using sdk = new DriverPeer("sdk-driver", core.address, "running", "tenant");
    await sdk.ok({ call: "attach" });
    assert.equal(await sdk.ok({ call: "get_checkpoint", id: "é/1" }), "00ff0a");
    assert.equal(await sdk.ok({ call: "get_checkpoint", id: "plain::retry::2" }), "aa");
    const saved = await sdk.ok<Record<string, unknown>>({ call: "checkpoint", id: "approved", state: "03" });
    assert.deepEqual(saved.customSignal, { checkpointId: "approved", payload: hex("yes") });
    await using fresh = await program(core, "fresh");
    await fresh.ok({ call: "completed", output: hex("1") });
  });
  await opened(database);
  const row = await administer(database.url, "SELECT status, epoch, run FROM instances WHERE instance_id = 'fresh'");
  assert.deepEqual(row, [["completed", "0", "1"]]);
});

test(
  "a database of another version is refused with the name of what is missing and stays as it is",
  deadline,
  async () => {
    await using database = await testDatabase();
    await withOriginal(database, async () => undefined);
    await administer(database.url, "ALTER TABLE instances DROP COLUMN input");
    await assert.rejects(openStore(database.url), (error) => {
      assert.ok(error instanceof StoreError && error.code === "SCHEMA_INCOMPATIBLE", String(error));
      assert.match(error.message, /column 'instances\.input' is missing/);
      return true;
    });
    assert.deepEqual(await administer(database.url, "SELECT to_regclass('runtara_migrations')"), [[null]]);
  },
);
