import { parseDatabaseUrl, withoutPassword } from "./database-url.ts";
import { StoreError } from "./errors.ts";
import type { Store } from "./store.ts";

/**
 * Opens the database that `url` names, creating file, directories and tables where they are missing. The engine is loaded only now.
 * Throws `StoreError`, whose message is one line with the remedy; a failed attempt leaves nothing behind.
 */
export async function openStore(url: string): Promise<Store> {
  const location = parseDatabaseUrl(url);
  if (location.engine === "postgres") {
    throw new StoreError(
      "URL_UNSUPPORTED",
      `cannot use database URL '${withoutPassword(url)}': this version has no PostgreSQL engine yet; supported: sqlite:PATH`,
    );
  }
  const { openSqliteStore } = await import("./sqlite/index.ts");
  return openSqliteStore(location);
}
