import { StoreError, type StoreErrorCode } from "../../errors.ts";

/**
 * What is known when a connection is lost: `unchanged` while nothing can have been committed, `unknown` once something was on its way that
 * commits.
 */
export type OutcomeOfLoss = "unchanged" | "unknown";

interface ServerError extends Error {
  readonly code: string;
  readonly severity: string;
}

// PostgreSQL's error codes (https://www.postgresql.org/docs/current/errcodes-appendix.html); a class of two characters counts where the
// whole code is not listed.
const codes: Readonly<Record<string, StoreErrorCode>> = {
  "08": "UNAVAILABLE",
  22021: "CONSTRAINT_FAILED",
  "22P05": "CONSTRAINT_FAILED",
  23: "CONSTRAINT_FAILED",
  25006: "UNAVAILABLE",
  28: "OPEN_FAILED",
  "3D": "OPEN_FAILED",
  40: "BUSY",
  42501: "OPEN_FAILED",
  53: "UNAVAILABLE",
  53100: "FULL",
  54000: "VALUE_TOO_LONG",
  "55P03": "BUSY",
  57014: "TIMED_OUT",
  "57P": "UNAVAILABLE",
  58: "IO_FAILED",
  XX001: "IO_FAILED",
  XX002: "IO_FAILED",
};

const remedies: Partial<Readonly<Record<StoreErrorCode, string>>> = {
  BUSY: "another transaction holds the rows; try again",
  FULL: "free some space where the database server keeps its data",
  IO_FAILED: "look at the disk and the log of the database server",
  OPEN_FAILED: "look at the database URL and at the rights of its user",
  TIMED_OUT: "raise ?statement_timeout_ms= of the database URL if the database is just slow",
  UNAVAILABLE: "look whether the database server runs and can be reached; trying again is safe",
  UNKNOWN_OUTCOME: "the connection was lost before the answer; it may have been carried out",
};

/** The server's error code of five characters, if `error` or a cause of it came from the server. */
export function sqlState(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (isServerError(at)) return at.code;
  return undefined;
}

/** The server does not know a prepared statement or knows it already: another session than the one it was prepared on. */
export function isSignOfPooler(error: unknown): boolean {
  const state = sqlState(error);
  return state === "26000" || state === "42P05";
}

/** Whether the server has ended the session with this error, or it is none of the server's. */
export function endsSession(error: unknown): boolean {
  if (!isServerError(error)) return true;
  return error.severity === "FATAL" || error.severity === "PANIC" || /^(08|57P|25P03)/.test(error.code);
}

/** Turns what the driver throws into a `StoreError`; one that is already there passes through. */
export function storeErrorFrom(error: unknown, outcome: OutcomeOfLoss = "unchanged"): StoreError {
  if (error instanceof StoreError) return error;
  if (outcome === "unknown" && endsSession(error)) return withRemedy("UNKNOWN_OUTCOME", error);
  if (isServerError(error)) return withRemedy(codeOf(error.code), error);
  // The driver throws these for values that it can't send.
  if (error instanceof TypeError || error instanceof RangeError) return withRemedy("INTERNAL", error);
  return withRemedy(isRefusedTls(error) ? "OPEN_FAILED" : "UNAVAILABLE", error);
}

/** A certificate that does not pass, or a server without TLS where the URL wants it: coming back later does not help. */
function isRefusedTls(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return /CERT|TLS/.test(code) || /SSL connection/.test(error.message);
}

function codeOf(state: string): StoreErrorCode {
  return codes[state] ?? codes[state.slice(0, 3)] ?? codes[state.slice(0, 2)] ?? "INTERNAL";
}

function withRemedy(code: StoreErrorCode, cause: unknown): StoreError {
  const text = textOf(cause).replaceAll(/\s*\n\s*/g, " ");
  const remedy = remedies[code];
  return new StoreError(code, `PostgreSQL: ${text}${remedy === undefined ? "" : `; ${remedy}`}`, { cause });
}

/** A refused connection to a name with several addresses is an AggregateError without a text of its own. */
function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(textOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}

function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && "severity" in error && "code" in error && typeof error.code === "string";
}
