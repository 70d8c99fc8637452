import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { createTest, everyCrash } from "@runtara/testkit";
import { batchesPerRun, batchSize, migration, start } from "./migration.ts";

function fill(db: DatabaseSync, rows: number): void {
  db.exec("DROP TABLE IF EXISTS old; DROP TABLE IF EXISTS new; DROP TABLE IF EXISTS runtara_ledger");
  db.exec("CREATE TABLE old (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE new (id INTEGER PRIMARY KEY, name TEXT)");
  const insert = db.prepare("INSERT INTO old (id, name) VALUES (?, ?)");
  db.exec("BEGIN");
  for (let id = 1; id <= rows; id++) insert.run(id, id % 70 === 0 ? null : ` name ${id} `);
  db.exec("COMMIT");
}

const countOf = (db: DatabaseSync): unknown => db.prepare("SELECT count(*) AS count FROM new").get()?.count;

test("all rows are moved, over several runs, and bad ones are named", async () => {
  using db = new DatabaseSync(":memory:");
  const rows = batchSize * batchesPerRun + 250;
  fill(db, rows);
  await using rt = await createTest({ workflows: [] });
  const handle = await rt.start(migration(db), start);
  const { moved, rejected } = await handle.result();
  assert.equal(moved + rejected.length, rows);
  assert.equal(countOf(db), moved);
  assert.deepEqual(rejected.slice(0, 2), [70, 140]);
  assert.equal((await handle.published("progress"))?.moved, moved);
});

test("a crash anywhere moves no row twice: the second insert of an id would fail", async () => {
  using db = new DatabaseSync(":memory:");
  const { crashes } = await everyCrash(migration(db), start, { reset: () => fill(db, 4 * batchSize) });
  assert.ok(crashes > 10);
});
