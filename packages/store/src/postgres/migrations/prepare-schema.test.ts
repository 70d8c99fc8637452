import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { StoreError } from "@runtara/store";
import { administer, testDatabase } from "../../testing/postgres-server.ts";
import { TestConnections } from "../connections/connections.test.helper.ts";
import type { Row } from "../connections/port.ts";
import { prepareSchema, schemaVersion } from "./index.ts";

const run = promisify(execFile);

async function prepared(url: string): Promise<string[]> {
  await using test = await TestConnections.to(url);
  const progress: string[] = [];
  await prepareSchema(test.connections, (text) => progress.push(text));
  return progress;
}

async function rowsOf(url: string, text: string): Promise<readonly Row[]> {
  await using test = await TestConnections.to(url);
  return test.rows(text);
}

/** Tables, columns and indexes with their definitions. */
function schemaOf(url: string): Promise<readonly Row[]> {
  return rowsOf(
    url,
    `SELECT c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
       CASE WHEN c.relkind = 'i' THEN pg_get_indexdef(c.oid) END
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 3`,
  );
}

test("an empty database gets every step once; the next start writes nothing", async () => {
  await using database = await testDatabase();
  assert.ok((await prepared(database.url)).some((text) => text.startsWith("creating index instances_by_tenant")));
  const before = await schemaOf(database.url);
  assert.deepEqual(await prepared(database.url), []);
  assert.deepEqual(await schemaOf(database.url), before);
  assert.deepEqual(await rowsOf(database.url, "SELECT version, name FROM runtara_migrations ORDER BY version"), [
    [0, "original"],
    [1, "durability"],
    [schemaVersion, "schedules"],
  ]);
});

test("of 8 processes that start at once on an empty database one does the work and all succeed", async () => {
  await using database = await testDatabase();
  const child = fileURLToPath(new URL("./starter-child.test.helper.ts", import.meta.url));
  const outputs = await Promise.all(
    Array.from({ length: 8 }, () => run(process.execPath, ["--conditions=runtara-src", child, database.url])),
  );
  const said = outputs.map(({ stdout }) => JSON.parse(stdout) as { did: boolean; rows: number });
  assert.equal(said.filter(({ did }) => did).length, 1);
  assert.ok(said.every(({ rows }) => rows === 0));
  const versions = await rowsOf(database.url, "SELECT count(*) FROM runtara_migrations");
  assert.deepEqual(versions, [[schemaVersion + 1]]);
});

test("a schema of a newer program is refused by name and stays as it is", async () => {
  await using database = await testDatabase();
  await prepared(database.url);
  await administer(database.url, "INSERT INTO runtara_migrations VALUES (900, 'later', 0)");
  const before = await schemaOf(database.url);
  await assert.rejects(prepared(database.url), (error) => {
    assert.ok(error instanceof StoreError && error.code === "SCHEMA_NEWER");
    assert.ok(
      error.message.includes(`schema version 900, this program knows up to ${schemaVersion}; use the newer program`),
    );
    return true;
  });
  assert.deepEqual(await schemaOf(database.url), before);
});

test("another program's table under a name of ours is refused, and nothing is left behind", async () => {
  await using database = await testDatabase();
  await administer(database.url, "CREATE VIEW checkpoints AS SELECT 1 AS one");
  await assert.rejects(
    prepared(database.url),
    (error) => error instanceof StoreError && error.code === "SCHEMA_FOREIGN",
  );
  assert.deepEqual(await rowsOf(database.url, "SELECT to_regclass('instances'), to_regclass('runtara_migrations')"), [
    [null, null],
  ]);
  await administer(database.url, "DROP VIEW checkpoints");
  await prepared(database.url);
});

test("tables of other programs beside ours are left alone", async () => {
  await using database = await testDatabase();
  await administer(database.url, "CREATE TABLE accounts (id INT); INSERT INTO accounts VALUES (7)");
  await prepared(database.url);
  assert.deepEqual(await rowsOf(database.url, "SELECT id FROM accounts"), [[7]]);
});

test("whoever deletes instances deletes their checkpoints and events with them, and no others", async () => {
  await using database = await testDatabase();
  await prepared(database.url);
  const series = "FROM generate_series(1, 5) AS n";
  await administer(
    database.url,
    `INSERT INTO instances (instance_id, tenant_id) SELECT 'i' || n, 't' ${series};
     INSERT INTO checkpoints (instance_id, checkpoint_id, state) SELECT 'i' || n, 'c', '' ${series};
     INSERT INTO instance_events (instance_id, event_type) SELECT 'i' || n, 'started' ${series};
     INSERT INTO instance_signals (signal_id, instance_id, kind, created_ms) SELECT n, 'i' || n, 'slot', 1 ${series}`,
  );
  await administer(database.url, "SET search_path = ''; DELETE FROM public.instances WHERE instance_id <> 'i3'");
  for (const table of ["instances", "checkpoints", "instance_events", "instance_signals"]) {
    assert.deepEqual(await rowsOf(database.url, `SELECT instance_id FROM ${table}`), [["i3"]], table);
  }
});

test("a database of the first schema gets the present one; somebody else's table of that name is refused", async () => {
  for (const foreign of [false, true]) {
    await using database = await testDatabase();
    await prepared(database.url);
    const undone = "DROP TABLE workflow_schedules; DELETE FROM runtara_migrations WHERE version = 2";
    await administer(database.url, foreign ? `${undone}; CREATE TABLE workflow_schedules (mine INTEGER)` : undone);
    if (foreign) {
      await assert.rejects(prepared(database.url), { code: "SCHEMA_FOREIGN" });
      assert.deepEqual(await rowsOf(database.url, "SELECT max(version) FROM runtara_migrations"), [[1]]);
      continue;
    }
    const [said] = await prepared(database.url);
    assert.equal(said, "schema step 2, schedules");
    assert.deepEqual(await rowsOf(database.url, "SELECT count(*) FROM workflow_schedules"), [[0]]);
  }
});
