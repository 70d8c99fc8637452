import { StoreError, type StoreErrorCode } from "../errors.ts";

// Primary result codes of SQLite (https://www.sqlite.org/rescode.html); extended codes carry them in their low byte.
const codes: Readonly<Record<number, StoreErrorCode>> = {
  5: "BUSY",
  6: "BUSY",
  8: "OPEN_FAILED",
  10: "IO_FAILED",
  11: "NOT_A_DATABASE",
  13: "FULL",
  14: "OPEN_FAILED",
  19: "CONSTRAINT_FAILED",
  26: "NOT_A_DATABASE",
};

const remedies: Partial<Readonly<Record<StoreErrorCode, string>>> = {
  BUSY: "another process holds the database; try again or end it",
  FULL: "free some space where the database is",
  IO_FAILED: "look at the disk the database is on",
  OPEN_FAILED: "look at the path and its permissions",
  NOT_A_DATABASE: "the file is damaged or is no database; restore it or choose another path",
};

/** Turns what node:sqlite throws into a `StoreError`; one that is already there passes through. */
export function storeErrorFrom(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const code = (codes[resultCode(error) & 0xff] ?? "INTERNAL") satisfies StoreErrorCode;
  const remedy = remedies[code];
  return new StoreError(code, remedy === undefined ? oneLine(text) : `${oneLine(text)}; ${remedy}`, { cause: error });
}

function resultCode(error: unknown): number {
  const code = typeof error === "object" && error !== null && "errcode" in error ? error.errcode : undefined;
  return typeof code === "number" ? code : 0;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ");
}
