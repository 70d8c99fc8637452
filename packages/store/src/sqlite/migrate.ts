import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../errors.ts";
import type { Migration } from "./migrations/index.ts";

/**
 * Brings the schema up to date. The bookkeeping table is ours alone, so tables and migration records of other programs in the same
 * file are not looked at. Each step runs in one transaction whose first write is its version row: of several processes that start at
 * once one does the work and the others, having waited for the lock, find it done.
 */
export function migrate(database: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  database.exec(
    "CREATE TABLE IF NOT EXISTS runtara_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT",
  );
  refuseNewer(database, path, migrations);
  for (const migration of migrations) apply(database, path, migration);
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
  database.exec("BEGIN IMMEDIATE");
  try {
    const inserted = database
      .prepare("INSERT INTO runtara_migrations (version, name, applied_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
      .run(migration.version, migration.name, Date.now());
    if (inserted.changes === 1) {
      refuseForeign(database, path, migration);
      database.exec(migration.sql);
    }
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
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
