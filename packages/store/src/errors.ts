/** What went wrong with the store, as a closed set. */
export type StoreErrorCode =
  /** The database URL names an engine, a form or an option that is not supported. */
  | "URL_UNSUPPORTED"
  /** The package that speaks to this kind of database is not installed; the message names it. */
  | "DRIVER_MISSING"
  /** The database could not be opened or created: path, permissions, directory. */
  | "OPEN_FAILED"
  /** The file exists and is something else than a database. */
  | "NOT_A_DATABASE"
  /** A database, but its tables are not ours. */
  | "SCHEMA_FOREIGN"
  /** A newer version of this software has already changed the schema. */
  | "SCHEMA_NEWER"
  /** Another process kept the database locked for too long. Nothing was changed; trying again is safe. */
  | "BUSY"
  /** No space left where the database is. Nothing was changed. */
  | "FULL"
  /** The operation broke a rule of the schema. Nothing was changed. */
  | "CONSTRAINT_FAILED"
  /** Reading or writing failed below the database. Nothing was acknowledged. */
  | "IO_FAILED"
  /** An id or key is too long for an index of this engine, or one too many: the message says which. Nothing was changed; it never succeeds. */
  | "VALUE_TOO_LONG"
  /** More operations wait than the store takes. Nothing was changed; trying again later is safe. */
  | "OVERLOADED"
  /** The original's database is of another version than 1.4.1: the message names the column or table that is missing. */
  | "SCHEMA_INCOMPATIBLE"
  /** The database cannot be reached or is starting. Nothing was changed; trying again is safe. */
  | "UNAVAILABLE"
  /** The connection was lost between sending and answer: it may have been carried out. Idempotent operations may be repeated. */
  | "UNKNOWN_OUTCOME"
  /** The statement took longer than `limits.statementTimeoutMs` and was stopped. Nothing was changed. */
  | "TIMED_OUT"
  /** The store has been closed. */
  | "CLOSED"
  /** Anything else that the engine reports; `cause` has it. */
  | "INTERNAL";

/** Every failure of a store. The message is one line and says what to do where something can be done. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
