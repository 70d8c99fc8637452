import { accessSync, constants, existsSync, mkdirSync, rmdirSync, rmSync, type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SqliteLocation } from "../database-url.ts";
import { StoreError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Progress } from "../migrate.ts";
import { storeErrorFrom } from "./error-mapping.ts";
import { prepareSchema, refuseUnknown } from "./schema.ts";

/**
 * Opens a SQLite file with the settings that our promises need and the newest schema. What it created on the way (directories, the
 * file) is removed again if it fails. Throws `StoreError`.
 */
export async function openDatabase(
  location: SqliteLocation,
  progress: Progress = () => undefined,
): Promise<DatabaseSync> {
  const path = resolve(location.path);
  refuseUnusable(path, location.create);
  const created = existsSync(path) ? undefined : { folders: makeDirectories(path) };
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: limits.busyTimeoutMs });
    configure(database);
    await prepareSchema(database, path, progress);
    return database;
  } catch (error) {
    database?.close();
    if (created !== undefined) removeCreated(path, created.folders);
    throw openFailure(path, error);
  }
}

/** A connection to a file that must be there and be ours, which changes nothing of it. Throws `StoreError`. */
export function openExisting(location: SqliteLocation): DatabaseSync {
  const path = resolve(location.path);
  refuseUnusable(path, false);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: limits.busyTimeoutMs });
    refuseUnknown(database, path);
    return database;
  } catch (error) {
    database?.close();
    throw openFailure(path, error);
  }
}

/** A further connection to a file that is open already, for a thread whose log is kept short by others. Throws `StoreError`. */
export function openThreadDatabase(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { timeout: limits.busyTimeoutMs });
    configure(database);
    database.exec("PRAGMA wal_autocheckpoint = 0");
    return database;
  } catch (error) {
    throw openFailure(path, error);
  }
}

function configure(database: DatabaseSync): void {
  // Has an effect on new files only: what retention removes is given back to the file system in slices.
  database.exec("PRAGMA auto_vacuum = INCREMENTAL");
  // An acknowledged write must survive a power cut, so every commit of the write-ahead log is synced.
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY",
  );
  database.exec(
    `PRAGMA cache_size = -${limits.sqliteCacheKiB}; PRAGMA wal_autocheckpoint = ${limits.sqliteWalPagesMax}`,
  );
  // The log is written over from its start again and again. Cutting it shorter than its usual size would make each commit after
  // that grow the file, which costs many times as much; only what a rare large transaction left behind is cut off.
  database.exec(`PRAGMA journal_size_limit = ${2 * limits.sqliteWalPagesMax * 4096}`);
}

function refuseUnusable(path: string, create: boolean): void {
  const found = lookAt(path);
  if (found === undefined) {
    if (create) return;
    throw new StoreError(
      "OPEN_FAILED",
      `cannot open database ${path}: no such file; create it with ?mode=rwc or correct the path`,
    );
  }
  if (!found.isFile()) {
    const what = found.isDirectory() ? "a directory" : "not a regular file";
    throw new StoreError("OPEN_FAILED", `cannot open database ${path}: it is ${what}; name a file`);
  }
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw new StoreError("OPEN_FAILED", `cannot open database ${path}: no permission to read and write it`, { cause });
  }
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new StoreError("OPEN_FAILED", `cannot open database ${path} (${reason}); correct the path`, { cause });
  }
}

/** Makes the parents of the file, outermost first; returns the ones that were not there, innermost first. */
function makeDirectories(path: string): readonly string[] {
  const missing: string[] = [];
  for (let folder = dirname(path); !existsSync(folder); folder = dirname(folder)) missing.push(folder);
  const made: string[] = [];
  try {
    // Not mkdir's recursive mode: it never returns where a parent exists and mkdir says otherwise, as in /proc.
    for (const folder of missing.toReversed()) {
      if (makeDirectory(folder)) made.unshift(folder);
    }
    return made;
  } catch (cause) {
    removeDirectories(made);
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new StoreError(
      "OPEN_FAILED",
      `cannot create directory ${dirname(path)} for the database (${reason}); choose a path that you may write to`,
      { cause },
    );
  }
}

/** False where another starter was faster. */
function makeDirectory(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST" && existsSync(folder)) return false;
    throw error;
  }
}

function removeDirectories(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch {
      return; // Somebody else put something there meanwhile: it stays.
    }
  }
}

function removeCreated(path: string, folders: readonly string[]): void {
  // Only where the file came to be: below something that is no directory even removing fails.
  if (existsSync(path)) for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
  removeDirectories(folders);
}

function openFailure(path: string, error: unknown): StoreError {
  const failure = storeErrorFrom(error);
  if (failure === error) return failure;
  const code = failure.code === "INTERNAL" ? "OPEN_FAILED" : failure.code;
  return new StoreError(code, `cannot open database ${path}: ${failure.message}`, { cause: error });
}
