import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../errors.ts";
import { bookkeepingTable, isBehind, type Progress } from "../migrate.ts";
import { isOriginal, setAside, takeOver } from "./adopt.ts";
import type { Migration } from "./migrations/index.ts";
import { appliedVersion } from "./schema.ts";

/**
 * Brings the schema up to date. The bookkeeping table is ours alone, so tables and migration records of other programs in the same
 * file are not looked at. Each step runs in one transaction whose first write is its version row, those of a new file in one together: of
 * several processes that start at once one does the work and the others, having waited for the lock, find it done. An original's file is
 * taken over: its tables make room for ours, all steps run, and its rows are copied, in one transaction. `progress` hears of what is done to a
 * file that is there already.
 */
export function migrate(
  database: DatabaseSync,
  path: string,
  migrations: readonly Migration[],
  progress: Progress = () => undefined,
): void {
  if (isOriginal(database)) {
    adopt(database, path, migrations, progress);
    return;
  }
  const applied = appliedVersion(database);
  if (applied === undefined) {
    create(database, path, migrations);
    return;
  }
  isBehind(applied, migrations.at(-1)?.version ?? 0, `database ${path}`);
  for (const migration of migrations) {
    if (migration.version > applied) progress(`schema step ${migration.version}, ${migration.name}`);
    inTransaction(database, () => apply(database, path, migration));
  }
}

/** All steps of a new file in one transaction, with its single sync. A starter that was faster has left nothing to do. */
function create(database: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  inTransaction(database, () => {
    database.exec(bookkeeping);
    for (const migration of migrations) apply(database, path, migration);
  });
}

const bookkeeping = `CREATE TABLE IF NOT EXISTS ${bookkeepingTable} (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`;

function adopt(database: DatabaseSync, path: string, migrations: readonly Migration[], progress: Progress): void {
  // The renamed tables keep their references, and nothing is checked until all is in its place.
  database.exec("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON");
  try {
    inTransaction(database, () => {
      // Another starter may have been faster.
      if (!isOriginal(database)) return;
      progress("taking over the file of the original: its rows are copied into new tables");
      setAside(database, path);
      database.exec(bookkeeping);
      for (const migration of migrations) apply(database, path, migration);
      takeOver(database);
    });
  } finally {
    database.exec("PRAGMA legacy_alter_table = OFF; PRAGMA foreign_keys = ON");
  }
  if (database.prepare("PRAGMA auto_vacuum").get()?.auto_vacuum !== incremental) {
    progress(
      "taken over; the file keeps its size, and gives nothing back, until `runtara database vacuum` has run once",
    );
  }
}

/** Of auto_vacuum: a setting that a file has from its beginning, or from being vacuumed. */
const incremental = 2;

function inTransaction(database: DatabaseSync, work: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    work();
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function apply(database: DatabaseSync, path: string, migration: Migration): void {
  const inserted = database
    .prepare(`INSERT INTO ${bookkeepingTable} (version, name, applied_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`)
    .run(migration.version, migration.name, Date.now());
  if (inserted.changes !== 1) return;
  refuseForeign(database, path, migration);
  database.exec(migration.sql);
}

/** The first step needs its names free: a file of another program is told apart from a broken one. */
function refuseForeign(database: DatabaseSync, path: string, migration: Migration): void {
  const exists = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?");
  for (const [, table] of migration.sql.matchAll(/^CREATE TABLE (\w+)/gm)) {
    if (table !== undefined && exists.get(table) !== undefined) {
      throw new StoreError(
        "SCHEMA_FOREIGN",
        `database ${path} already has a table '${table}' that another program made; give a path of its own to this one`,
      );
    }
  }
}
