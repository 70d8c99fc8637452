import { StoreError } from "../../errors.ts";
import { isBehind, type Progress } from "../../migrate.ts";
import { sqlState } from "../connections/errors.ts";
import type { Connections } from "../connections/port.ts";

/** The version of the schema that this program works with. */
export const schemaVersion = 2;

export const databaseWords = "the PostgreSQL database";

const undefinedTable = "42P01";
// duplicate_table, duplicate_object: only where somebody else's stand in the place of ours.
const taken: ReadonlySet<string | undefined> = new Set(["42P07", "42710"]);

/**
 * Makes the database ready: an empty one gets its tables, one of the original 1.4.1 is taken over in place, an older one of ours is brought up to
 * date. All or nothing; of several processes that start at once one does the work and the others wait for it. Throws StoreError:
 * SCHEMA_NEWER, SCHEMA_INCOMPATIBLE, SCHEMA_FOREIGN.
 */
export async function prepareSchema(connections: Connections, progress: Progress = () => undefined): Promise<void> {
  if (await isPrepared(connections)) return;
  const { upgrade } = await import("./upgrade.ts");
  try {
    await connections.maintenance((transaction) => upgrade(transaction, progress));
  } catch (error) {
    throw taken.has(sqlState(error)) ? foreign(error) : error;
  }
}

/** Whether the database has the tables of this version. Changes nothing. Throws StoreError SCHEMA_NEWER. */
export async function isPrepared(connections: Connections): Promise<boolean> {
  return !isBehind(await appliedVersion(connections), schemaVersion, databaseWords);
}

function foreign(error: unknown): StoreError {
  const text = error instanceof Error ? error.message : String(error);
  return new StoreError(
    "SCHEMA_FOREIGN",
    `${databaseWords} has something of another program under a name of ours (${text}); use a database or a schema of its own`,
    { cause: error },
  );
}

async function appliedVersion(connections: Connections): Promise<number | undefined> {
  try {
    const text = "SELECT max(version) FROM runtara_migrations";
    const { rows } = await connections.readers.query({ name: "schema_version", text }, []);
    return (rows[0]?.[0] ?? undefined) as number | undefined;
  } catch (error) {
    if (sqlState(error) === undefinedTable) return undefined;
    throw error;
  }
}
