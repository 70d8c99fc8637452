import { StoreError } from "./errors.ts";

/** One step of a schema. Numbers only grow; a step that has been released is never changed. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /** Carried out one after another, in one transaction whose first write is the step's row in the bookkeeping table. */
  readonly statements: readonly string[];
}

/** Told before each step that may take long, in words for a log. */
export type Progress = (text: string) => void;

/** The bookkeeping table of both engines. Records of other programs in the same database are not looked at. */
export const bookkeepingTable = "runtara_migrations";

/**
 * Whether steps up to `known` are missing, given the highest that has been carried out (undefined = none). Throws StoreError SCHEMA_NEWER
 * when the database is ahead of this program. `where` names the database.
 */
export function isBehind(applied: number | undefined, known: number, where: string): boolean {
  if (applied !== undefined && applied > known) {
    throw new StoreError(
      "SCHEMA_NEWER",
      `${where} has schema version ${applied}, this program knows up to ${known}; use the newer program that changed it`,
    );
  }
  return applied === undefined || applied < known;
}
