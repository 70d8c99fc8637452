import { parseDatabaseUrl } from "./database-url.ts";
import type { Progress } from "./migrate.ts";
import type { Store } from "./store.ts";

export interface OpenOptions {
  /** SQLite: where it writes, see SqliteOptions of `./sqlite`. Default `inline`. */
  readonly sqliteHost?: "inline" | "assisted" | "thread";
  /**
   * Told before each step that changes the schema, in words for a log. On large databases a step may take minutes. SQLite: not of the steps
   * that make a new file.
   */
  readonly progress?: Progress;
}

/**
 * Opens the database that `url` names, creating file, directories and tables where they are missing. The engine is loaded only now.
 * Throws `StoreError`, whose message is one line with the remedy; a failed attempt leaves nothing behind.
 */
export async function openStore(
  url: string,
  { sqliteHost = "inline", progress = () => undefined }: OpenOptions = {},
): Promise<Store> {
  const location = parseDatabaseUrl(url);
  if (location.engine === "postgres") {
    const { openPostgresStore } = await import("./postgres/index.ts");
    return openPostgresStore(location, progress);
  }
  const { openSqliteStore } = await import("./sqlite/open-sqlite-store.ts");
  return openSqliteStore(location, { host: sqliteHost, progress });
}
