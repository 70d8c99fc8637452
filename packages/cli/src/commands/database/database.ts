import { coreConfigFromEnv } from "@runtara/core/server";
import { loadDotEnv } from "@runtara/server-kit";
import { openStore, type PostgresLocation, parseDatabaseUrl, type SqliteLocation } from "@runtara/store";
import { backupDatabase, checkDatabase, vacuumDatabase } from "@runtara/store/sqlite";
import { exitCode } from "../../fail.ts";

export interface DatabaseOptions {
  readonly databaseUrl?: string;
  readonly json?: boolean;
}

/** `runtara database check`. */
export async function check(options: DatabaseOptions): Promise<void> {
  const { location } = databaseOf(options);
  const faults = location.engine === "sqlite" ? await checkDatabase(location) : await faultsOf(location);
  const sound = faults.length === 0;
  report(options, { sound, faults }, sound ? "the database is sound" : faults.join("\n"));
  if (!sound) process.exitCode = exitCode.failed;
}

/** `runtara database backup FILE`. */
export async function backup(file: string, options: DatabaseOptions): Promise<void> {
  const { location } = databaseOf(options);
  const { bytes } = await backupDatabase(sqliteOnly(location, "back PostgreSQL up with pg_dump"), file);
  report(options, { file, bytes }, `backed up to ${file}, ${bytes} bytes`);
}

/** `runtara database vacuum`. */
export async function vacuum(options: DatabaseOptions): Promise<void> {
  const { location } = databaseOf(options);
  const sqlite = sqliteOnly(location, "PostgreSQL's autovacuum does this by itself");
  const { bytesBefore, bytesAfter } = await vacuumDatabase(sqlite);
  report(options, { bytesBefore, bytesAfter }, `${bytesBefore} bytes before, ${bytesAfter} bytes after`);
}

/** `runtara database migrate`: opening a store does it. */
export async function migrate(options: DatabaseOptions): Promise<void> {
  const { url, location } = databaseOf(options);
  const store = await openStore(url);
  await store.close();
  report(options, { engine: location.engine, upToDate: true }, "the tables are those of this version");
}

async function faultsOf(location: PostgresLocation): Promise<readonly string[]> {
  const { checkPostgres } = await import("@runtara/store/postgres");
  return checkPostgres(location);
}

function databaseOf({ databaseUrl }: DatabaseOptions): { url: string; location: SqliteLocation | PostgresLocation } {
  loadDotEnv();
  const given = databaseUrl === undefined ? {} : { RUNTARA_DATABASE_URL: databaseUrl };
  const { databaseUrl: url } = coreConfigFromEnv({ ...process.env, ...given });
  return { url, location: parseDatabaseUrl(url) };
}

function sqliteOnly(location: SqliteLocation | PostgresLocation, instead: string): SqliteLocation {
  if (location.engine === "sqlite") return location;
  throw new Error(`this command is for SQLite databases; ${instead}`);
}

function report({ json }: DatabaseOptions, result: object, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(result) : text}\n`);
}
