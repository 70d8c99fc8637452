import { resolve } from "node:path";
import type { SqliteLocation } from "../database-url.ts";
import type { Store } from "../store.ts";
import { InlineStore } from "./inline-store.ts";
import { openDatabase } from "./open-database.ts";
import { ThreadStore } from "./thread-store.ts";

export { backupDatabase, checkDatabase, vacuumDatabase } from "./maintenance.ts";

export type SqliteHost = "inline" | "assisted" | "thread";

export interface SqliteOptions {
  /**
   * Where it writes. `inline` (default): in the calling thread, the shortest way for one who waits for each answer. `thread`: in a thread of
   * its own: the calling thread is never held up by a sync. `assisted`, for servers: in the calling thread, while another moves the
   * write-ahead log into the file.
   */
  readonly host?: SqliteHost;
}

/** Opens the store on a SQLite file, creating it where allowed. Throws `StoreError`; a failed attempt leaves nothing behind. */
export function openSqliteStore(location: SqliteLocation, { host = "inline" }: SqliteOptions = {}): Store {
  const database = openDatabase(location);
  const path = resolve(location.path);
  if (host === "thread") return new ThreadStore(database, path);
  return new InlineStore(database, host === "assisted" ? path : undefined);
}
