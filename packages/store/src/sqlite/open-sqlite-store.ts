import { resolve } from "node:path";
import type { SqliteLocation } from "../database-url.ts";
import type { Progress } from "../migrate.ts";
import type { Store } from "../store.ts";
import { InlineStore } from "./inline-store.ts";
import { openDatabase } from "./open-database.ts";

export type SqliteHost = "inline" | "assisted" | "thread";

export interface SqliteOptions {
  /**
   * Where it writes. `inline` (default): in the calling thread, the shortest way for one who waits for each answer. `thread`: in a thread of
   * its own: the calling thread is never held up by a sync. `assisted`, for servers: in the calling thread, while another moves the
   * write-ahead log into the file.
   */
  readonly host?: SqliteHost;
  /** Told before a file that is there already is changed, in words for a log: a large one may take minutes. */
  readonly progress?: Progress;
}

/** Opens the store on a SQLite file, creating it where allowed; threads are loaded only for the hosts that have one. Throws `StoreError`; a failed attempt leaves nothing behind. */
export async function openSqliteStore(
  location: SqliteLocation,
  { host = "inline", progress }: SqliteOptions = {},
): Promise<Store> {
  const database = await openDatabase(location, progress);
  const path = resolve(location.path);
  switch (host) {
    case "inline":
      return new InlineStore(database);
    case "assisted": {
      const { WalAssistant } = await import("./wal-assistant.ts");
      return new InlineStore(database, (engine) => new WalAssistant(database, engine, path));
    }
    case "thread": {
      const { ThreadStore } = await import("./thread-store.ts");
      return new ThreadStore(database, path);
    }
  }
}
