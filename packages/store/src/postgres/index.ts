import type { PostgresLocation } from "../database-url.ts";
import type { Progress } from "../migrate.ts";
import type { Store } from "../store.ts";
import { openConnections } from "./connections/index.ts";
import { databaseWords, isPrepared, prepareSchema } from "./migrations/index.ts";
import { PostgresStore } from "./postgres-store.ts";

/**
 * Opens a PostgreSQL database (13 or later), creating or extending its tables where they are missing; several processes may do so at once.
 * `progress` is told before each step that changes the schema. Throws `StoreError`, whose message is one line with the remedy; a failed attempt leaves no connection behind.
 */
export async function openPostgresStore(location: PostgresLocation, progress?: Progress): Promise<Store> {
  const connections = await openConnections(location);
  try {
    await prepareSchema(connections, progress);
    return new PostgresStore(connections);
  } catch (error) {
    await connections.close();
    throw error;
  }
}

/**
 * Looks whether the database answers and has our tables; one line for each thing that is wrong, none = all is well. Changes nothing.
 * Throws `StoreError` if it does not answer, or is of a newer program.
 */
export async function checkPostgres(location: PostgresLocation): Promise<readonly string[]> {
  const connections = await openConnections(location);
  try {
    if (await isPrepared(connections)) return [];
    return [
      `${databaseWords} has no tables of this version; a core makes them at its start, or runtara database migrate`,
    ];
  } finally {
    await connections.close();
  }
}
