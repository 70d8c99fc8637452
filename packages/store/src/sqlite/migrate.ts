import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../errors.ts";
import { isOriginal, setAside, takeOver } from "./adopt.ts";
import type { Migration } from "./migrations/index.ts";

/**
 * Brings the schema up to date. The bookkeeping table is ours alone, so tables and migration records of other programs in the same
 * file are not looked at. Each step runs in one transaction whose first write is its version row: of several processes that start at
 * once one does the work and the others, having waited for the lock, find it done. An original's file is taken over: its tables make room
 * for ours, all steps run, and its rows are copied, in one transaction.
 */
export function migrate(database: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  if (isOriginal(database)) {
    adopt(database, path, migrations);
    return;
  }
  database.exec(bookkeeping);
  refuseNewer(database, path, migrations);
  for (const migration of migrations) {
    inTransaction(database, () => apply(database, path, migration));
  }
}

const bookkeeping =
  "CREATE TABLE IF NOT EXISTS runtara_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT";

function adopt(database: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  // The renamed tables keep their references, and nothing is checked until all is in its place.
  database.exec("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON");
  try {
    inTransaction(database, () => {
      // Another starter may have been faster.
      if (!isOriginal(database)) return;
      setAside(database, path);
      database.exec(bookkeeping);
      for (const migration of migrations) apply(database, path, migration);
      takeOver(database);
    });
  } finally {
    database.exec("PRAGMA legacy_alter_table = OFF; PRAGMA foreign_keys = ON");
  }
}

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

/** For programs that change no schema: throws SCHEMA_FOREIGN for a file without ours, SCHEMA_NEWER for one of the future. */
export function refuseUnknown(database: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'runtara_migrations'").get() === undefined) {
    throw new StoreError("SCHEMA_FOREIGN", `database ${path} has no tables of this program; open it with a core first`);
  }
  refuseNewer(database, path, migrations);
}

function refuseNewer(database: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  const newest = database.prepare("SELECT coalesce(max(version), 0) AS version FROM runtara_migrations").get()?.version;
  const known = migrations.at(-1)?.version ?? 0;
  if (typeof newest === "number" && newest > known) {
    throw new StoreError(
      "SCHEMA_NEWER",
      `database ${path} has schema version ${newest}, this program knows up to ${known}; use the newer program that changed it`,
    );
  }
}

function apply(database: DatabaseSync, path: string, migration: Migration): void {
  const inserted = database
    .prepare("INSERT INTO runtara_migrations (version, name, applied_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
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
