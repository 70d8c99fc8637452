import { statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../errors.ts";
import { copyOriginal } from "./adopt-copy.ts";

/** What of an original's table is copied. A file without one of these columns is of another version. */
const originalColumns: Readonly<Record<string, readonly string[]>> = {
  instances: [
    "instance_id",
    "tenant_id",
    "status",
    "checkpoint_id",
    "created_at",
    "started_at",
    "finished_at",
    "sleep_until",
    "output",
    "error",
    "stderr",
    "input",
    "memory_peak_bytes",
    "cpu_usage_usec",
  ],
  checkpoints: ["id", "instance_id", "checkpoint_id", "state", "created_at"],
  instance_events: ["id", "instance_id", "event_type", "subtype", "checkpoint_id", "payload", "created_at"],
  pending_signals: ["instance_id", "signal_type", "payload", "created_at", "acknowledged_at"],
  pending_custom_signals: ["instance_id", "checkpoint_id", "payload", "created_at"],
};

const renamed = "original_sqlx_migrations";

/** Whether the file is one of the original system that has not been taken over. */
export function isOriginal(database: DatabaseSync): boolean {
  return hasTable(database, "_sqlx_migrations") && hasTable(database, "instances") && isUntouched(database);
}

function isUntouched(database: DatabaseSync): boolean {
  const known = columnsOf(database, "instances");
  return known.includes("definition_version") && !known.includes("instance_key");
}

/**
 * Prepares the take-over of an original's file inside the open transaction: its tables get other names, so that ours can be created.
 * Throws SCHEMA_INCOMPATIBLE or FULL with nothing changed.
 */
export function setAside(database: DatabaseSync, path: string): void {
  for (const [table, wanted] of Object.entries(originalColumns)) refuseIncomplete(database, path, table, wanted);
  refuseWithoutSpace(path);
  for (const table of Object.keys(originalColumns)) {
    database.exec(`ALTER TABLE ${table} RENAME TO original_${table}`);
    dropIndexes(database, `original_${table}`);
  }
}

/** Fills our tables from those set aside, and drops those. Its list of migrations gets another name: the original refuses the file from now on. */
export function takeOver(database: DatabaseSync): void {
  copyOriginal(database);
  for (const table of Object.keys(originalColumns).toReversed()) database.exec(`DROP TABLE original_${table}`);
  database.exec(`ALTER TABLE _sqlx_migrations RENAME TO ${renamed}`);
  const broken = database.prepare("PRAGMA foreign_key_check").all();
  if (broken.length > 0)
    throw new StoreError("CONSTRAINT_FAILED", `${broken.length} rows refer to instances that do not exist`);
}

function refuseIncomplete(database: DatabaseSync, path: string, table: string, wanted: readonly string[]): void {
  const known = columnsOf(database, table);
  const missing = wanted.find((column) => !known.includes(column));
  if (missing === undefined) return;
  const what = known.length === 0 ? `table '${table}'` : `column '${table}.${missing}'`;
  throw new StoreError(
    "SCHEMA_INCOMPATIBLE",
    `database ${path} is of another version of the original than 1.4.1: ${what} is missing; let 1.4.1 open it once, or give another path`,
  );
}

/** For a while there are both, the old tables and the new ones. */
function refuseWithoutSpace(path: string): void {
  const { size } = statSync(path);
  const { bavail, bsize } = statfsSync(dirname(path));
  if (bavail * bsize >= 2 * size) return;
  throw new StoreError(
    "FULL",
    `taking over database ${path} needs ${2 * size} free bytes beside it, there are ${bavail * bsize}; free some space`,
  );
}

function dropIndexes(database: DatabaseSync, table: string): void {
  const indexes = database.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
  );
  for (const { name } of indexes.all(table)) database.exec(`DROP INDEX "${String(name).replaceAll('"', '""')}"`);
}

function hasTable(database: DatabaseSync, name: string): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined;
}

function columnsOf(database: DatabaseSync, table: string): string[] {
  return database
    .prepare("SELECT name FROM pragma_table_info(?)")
    .all(table)
    .map(({ name }) => String(name));
}
