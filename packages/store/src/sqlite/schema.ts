import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../errors.ts";
import { bookkeepingTable, isBehind, type Progress } from "../migrate.ts";

/** The version of the schema that this program works with. Said here, so that the steps are loaded only where some are missing. */
export const schemaVersion = 3;

/**
 * Makes the file ready: a new one gets its tables, one of the original 1.4.1 is taken over in place, an older one of ours is brought up to
 * date. Throws StoreError: SCHEMA_NEWER, SCHEMA_INCOMPATIBLE, SCHEMA_FOREIGN, FULL.
 */
export async function prepareSchema(database: DatabaseSync, path: string, progress: Progress): Promise<void> {
  if (!isBehind(appliedVersion(database), schemaVersion, `database ${path}`)) return;
  const [{ migrate }, { migrations }] = await Promise.all([import("./migrate.ts"), import("./migrations/index.ts")]);
  migrate(database, path, migrations, progress);
}

/** For programs that change no schema: throws SCHEMA_FOREIGN for a file without ours, SCHEMA_NEWER for one of the future. */
export function refuseUnknown(database: DatabaseSync, path: string): void {
  if (!hasBookkeeping(database)) {
    throw new StoreError("SCHEMA_FOREIGN", `database ${path} has no tables of this program; open it with a core first`);
  }
  isBehind(appliedVersion(database), schemaVersion, `database ${path}`);
}

/** The highest step that has been carried out, if any. */
export function appliedVersion(database: DatabaseSync): number | undefined {
  if (!hasBookkeeping(database)) return undefined;
  const version = database.prepare(`SELECT max(version) AS version FROM ${bookkeepingTable}`).get()?.version;
  return typeof version === "number" ? version : undefined;
}

function hasBookkeeping(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(bookkeepingTable) !== undefined;
}
