import { existsSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { backup, type DatabaseSync } from "node:sqlite";
import type { SqliteLocation } from "../database-url.ts";
import { StoreError } from "../errors.ts";
import { storeErrorFrom } from "./error-mapping.ts";
import { openExisting } from "./open-database.ts";

const allPages = 2_147_483_647;

/** Everything here works on a file that stores have open, in any number of processes. */
async function withDatabase<Result>(
  location: SqliteLocation,
  work: (database: DatabaseSync) => Promise<Result> | Result,
): Promise<Result> {
  const database = openExisting(location);
  try {
    return await work(database);
  } catch (error) {
    throw storeErrorFrom(error);
  } finally {
    database.close();
  }
}

const rules: readonly { readonly sql: string; readonly says: (count: number) => string }[] = [
  {
    sql: "SELECT count(*) FROM checkpoint_ids AS i LEFT JOIN checkpoints AS c USING (id) WHERE c.id IS NULL",
    says: (count) => `${count} checkpoints are in the index and not in the log`,
  },
  {
    sql: `SELECT count(*) FROM checkpoints AS c LEFT JOIN checkpoint_ids AS i USING (instance_key, checkpoint_id)
      WHERE i.id IS NULL AND c.id <= (SELECT indexed_up_to FROM checkpoint_index_state)`,
    says: (count) => `${count} checkpoints are in the log and not in the index`,
  },
  {
    sql: `SELECT count(*) FROM instances WHERE queued_signal_count <> (
      SELECT count(*) FROM instance_signals AS s WHERE s.instance_key = instances.instance_key AND kind = 'queued' AND delivered_at IS NULL)`,
    says: (count) => `${count} instances have another number of queued signals than they say`,
  },
  {
    sql: `SELECT count(*) FROM instances WHERE custom_signal_count <> (
      SELECT count(*) FROM pending_checkpoint_signals AS s WHERE s.instance_key = instances.instance_key)`,
    says: (count) => `${count} instances have another number of signals in slots than they say`,
  },
];

/**
 * Looks through the whole file: its pages and indexes, its references, and what our tables promise each other. One line for each thing that
 * is wrong; none = all is well. Writers go on meanwhile; the write-ahead log cannot begin anew during a question and grows by what they write.
 * Throws `StoreError` if the file cannot be opened.
 */
export function checkDatabase(location: SqliteLocation): Promise<readonly string[]> {
  return withDatabase(location, (database) => {
    // Each question is one statement and so sees one state of the file, which is held no longer than that.
    const pages = database.prepare("PRAGMA integrity_check").all();
    const problems = pages.map((row) => String(row.integrity_check)).filter((line) => line !== "ok");
    const references = database.prepare("PRAGMA foreign_key_check").all();
    if (references.length > 0) problems.push(`${references.length} rows refer to instances that do not exist`);
    for (const { sql, says } of rules) {
      const [count = 0] = Object.values(database.prepare(sql).get() ?? {});
      if (Number(count) > 0) problems.push(says(Number(count)));
    }
    return problems;
  });
}

/**
 * Copies the database as it is at one moment into the new file `target`: all that was acknowledged before the call is in it. Another thread
 * copies, and stores go on writing; their write-ahead log grows meanwhile. Throws `StoreError`: OPEN_FAILED if the target exists; a failed attempt leaves no target behind.
 */
export function backupDatabase(location: SqliteLocation, target: string): Promise<{ readonly bytes: number }> {
  const path = resolve(target);
  if (existsSync(path)) {
    const error = new StoreError("OPEN_FAILED", `cannot back up to ${path}: it exists; name a new file`);
    return Promise.reject(error);
  }
  return withDatabase(location, async (database) => {
    try {
      // In one step: between two, another connection's write would make it start again, so it would never end.
      await backup(database, path, { rate: allPages });
      return { bytes: statSync(path).size };
    } catch (error) {
      for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
      throw error;
    }
  });
}

/**
 * Writes the file anew without its gaps, and so that later gaps can be given back bit by bit. Needs once more the file's size as free space;
 * other writers wait. Throws `StoreError`: BUSY if others have it open and write, FULL without space; nothing is changed then.
 */
export function vacuumDatabase(
  location: SqliteLocation,
): Promise<{ readonly bytesBefore: number; readonly bytesAfter: number }> {
  const path = resolve(location.path);
  return withDatabase(location, (database) => {
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const bytesBefore = statSync(path).size;
    database.exec("PRAGMA auto_vacuum = INCREMENTAL; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    return { bytesBefore, bytesAfter: statSync(path).size };
  });
}
