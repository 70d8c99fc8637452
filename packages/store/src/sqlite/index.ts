import type { SqliteLocation } from "../database-url.ts";
import type { Store } from "../store.ts";
import { openDatabase } from "./open-database.ts";
import { SqliteStore } from "./sqlite-store.ts";

/** Opens the store on a SQLite file, creating it where allowed. Throws `StoreError`; a failed attempt leaves nothing behind. */
export function openSqliteStore(location: SqliteLocation): Store {
  return new SqliteStore(openDatabase(location));
}
