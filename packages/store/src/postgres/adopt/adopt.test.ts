import assert from "node:assert/strict";
import { test } from "node:test";
import { StoreError } from "@runtara/store";
import { administer, type TestDatabase, testDatabase } from "../../testing/postgres-server.ts";
import { TestConnections } from "../connections/connections.test.helper.ts";
import { original } from "../migrations/000000-original.ts";
import { prepareSchema } from "../migrations/index.ts";
import { firstMissing, originalColumns } from "./original-columns.ts";

/** Tables as core 1.4.1 has them; `npm run test:interop` adopts what 1.4.1 itself has made. */
async function originalDatabase(): Promise<TestDatabase> {
  const database = await testDatabase();
  const records = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY)";
  await administer(database.url, [...original.statements, records].join(";"));
  return database;
}

async function adopt(database: TestDatabase): Promise<void> {
  await using test = await TestConnections.to(database);
  await prepareSchema(test.connections);
}

test("every table and column of 1.4.1 that is missing is found missing", () => {
  for (const [table, columns] of Object.entries(originalColumns)) {
    const all = new Map(Object.entries(originalColumns).map(([name, each]) => [name, new Set(each)]));
    assert.equal(firstMissing(all), undefined);
    for (const column of columns) {
      all.set(table, new Set(columns.filter((each) => each !== column)));
      assert.equal(firstMissing(all), `column '${table}.${column}'`);
    }
    all.delete(table);
    assert.equal(firstMissing(all), `table '${table}'`);
  }
});

test("what is missing is named, and nothing is changed", async () => {
  await using database = await originalDatabase();
  const cases = [
    ["instances RENAME COLUMN stderr TO away", "column 'instances.stderr'", "instances RENAME COLUMN away TO stderr"],
    ["checkpoints RENAME TO away", "table 'checkpoints'", "away RENAME TO checkpoints"],
  ] as const;
  for (const [change, missing, undo] of cases) {
    await administer(database.url, `ALTER TABLE ${change}`);
    await assert.rejects(adopt(database), (error) => {
      assert.ok(error instanceof StoreError && error.code === "SCHEMA_INCOMPATIBLE");
      return error.message.includes(`${missing} is missing`);
    });
    assert.deepEqual(await administer(database.url, "SELECT to_regclass('runtara_migrations')"), [[null]]);
    await administer(database.url, `ALTER TABLE ${undo}`);
  }
  await adopt(database);
});

test("retry records move with their place, attempt, text and time; ids that only look like one stay", async () => {
  await using database = await originalDatabase();
  await administer(
    database.url,
    `INSERT INTO instances (instance_id, tenant_id) VALUES ('i', 't');
     INSERT INTO checkpoints (instance_id, checkpoint_id, state, is_retry_attempt, attempt_number, error_message, created_at) VALUES
       ('i', 'a::retry::2', 'state', false, NULL, NULL, now()),
       ('i', 'a::retry::1', '', true, 1, 'one', '2026-01-02 03:04:05.6789+00'),
       ('i', 'b::retry::3::retry::4294967295', '', true, -1, NULL, '1969-12-31 23:59:59.9999+00'),
       ('i', '::retry::7', '', true, 7, 'no base', now())`,
  );
  await adopt(database);
  const moved =
    "SELECT checkpoint_id, attempt, position, error_message, created_ms FROM retry_attempts WHERE position < 4 ORDER BY position";
  assert.deepEqual(await administer(database.url, moved), [
    ["a", "1", "2", "one", String(Date.UTC(2026, 0, 2, 3, 4, 5, 678))],
    ["b::retry::3", "4294967295", "3", null, "-1"],
  ]);
  const kept = "SELECT id, checkpoint_id, convert_from(state, 'UTF8') FROM checkpoints";
  assert.deepEqual(await administer(database.url, kept), [["1", "a::retry::2", "state"]]);
  assert.deepEqual(await administer(database.url, "SELECT nextval('checkpoints_id_seq')"), [["5"]]);
});

test("adopted rows have the defaults that a program which does not know our columns gives them", async () => {
  await using database = await originalDatabase();
  await administer(database.url, "INSERT INTO instances (instance_id, tenant_id) VALUES ('before', 't')");
  await adopt(database);
  await administer(database.url, "INSERT INTO instances (instance_id, tenant_id) VALUES ('after', 't')");
  const columns =
    "epoch, run, last_message, used_ms, child_count, unsettled, queued_signals, changes, checkpoint_count, seed, detached";
  const expected = ["0", "1", "0", "0", "0", "f", "0", "0", null, null, null];
  assert.deepEqual(await administer(database.url, `SELECT ${columns} FROM instances`), [expected, expected]);
});
