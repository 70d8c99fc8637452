/**
 * A statement with the name under which a connection prepares it. One name, one text, for the life of the program. Behind a pooler the name
 * is left out and the text is parsed each time.
 */
export interface Statement {
  /** At most 63 bytes. */
  readonly name: string;
  readonly text: string;
}

/**
 * A value for `$n`. A `Buffer` goes as it is in binary form, whatever the type of the parameter: the bytes of a `bytea`, or an array made by
 * `binary-arrays.ts`. Everything else goes as text; an array as an array literal (slow: take `binary-arrays.ts` for long ones).
 */
export type Parameter = string | number | boolean | null | Buffer | readonly (string | number | boolean | null)[];

/**
 * The columns of one row, in order: bool as boolean, int2, int4, int8, oid and float8 as number, bytea as Buffer, text[], int4[], int8[] and bool[] as array,
 * json and jsonb parsed, NULL as null, everything else (timestamptz, numeric, enums, …) as the server's text.
 */
export type Row = readonly unknown[];

export interface Answer {
  readonly rows: readonly Row[];
  /** Rows returned, or changed where none are returned. */
  readonly rowCount: number;
}

/**
 * One transaction on one connection. A statement is sent when it is asked for, behind the ones before and without waiting for their answers;
 * BEGIN leaves together with the first. When one fails, the later ones fail too.
 */
export interface Transaction {
  query(statement: Statement, values: readonly Parameter[]): Promise<Answer>;
}

/**
 * One or several connections for one purpose; uses take turns in the order of asking. Connections are opened on first use, closed when idle
 * for long, and opened anew after a loss; a use waits for that up to the connect time-out, as nothing has been sent yet.
 *
 * Errors are StoreErrors; `sqlState` (errors.ts) tells the server's code. A loss of the connection is UNAVAILABLE while the outcome is known to
 * be "nothing changed", and UNKNOWN_OUTCOME once a statement outside of a transaction, or COMMIT, was on its way. Nothing that may have written
 * is repeated.
 */
export interface Sessions {
  /** How many connections at most. */
  readonly size: number;

  /** One statement, which is a transaction by itself. */
  query(statement: Statement, values: readonly Parameter[]): Promise<Answer>;

  /**
   * Runs `work` in a transaction. When its promise is fulfilled COMMIT is sent at once, also behind statements whose answers are still under
   * way: the returned promise waits for all of them, and is rejected with the first error if one failed (all is rolled back then). When `work`
   * throws: ROLLBACK, and its error.
   *
   * `work` may be called a second time from the start, if a pooler turns out to be in between only now; the first call has changed nothing
   * then. So it must have no effects of its own beside the transaction.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/** What comes in from the channel that is listened to. */
export interface Listening {
  notified(payload: string): void;
  /** LISTEN has (again) taken effect: notices before this may have been missed. Called first of all, and after each reconnection. */
  resumed(): void;
}

/** All connections of one store. */
export interface Connections {
  /**
   * False when a pooler is between: by `?prepare=false`, or as found out. Then nothing may depend on the session: no LISTEN, no SET; names of
   * statements are left out, unless `?prepare=true` says that the pooler keeps them. May change from true to false at any time, never back.
   */
  readonly direct: boolean;

  /** One connection each, for the writes of single instances. At least one. */
  readonly lanes: readonly Sessions[];

  /** For operations of several instances. Nobody waits for a lock here for long. */
  readonly several: Sessions;

  /** For what must be in time: renewals of leases, timers, notices. Nobody waits for a lock here for long. Of a small pool it is `several`. */
  readonly time: Sessions;

  /** For what has time: retention, and what waits for locks. Of a small pool it is `several`. */
  readonly slow: Sessions;

  /**
   * For statements that write nothing. A lost connection is not the caller's business: the statement is sent once more on another one, and
   * only then UNAVAILABLE. The same for a transaction as long as `work` has not returned.
   */
  readonly readers: Sessions;

  /**
   * Listens to a channel on a connection of its own until the returned function is called; comes back by itself after a loss. Does nothing
   * where `direct` is false: poll there. One channel at a time.
   */
  listen(channel: string, listening: Listening): () => void;

  /** Runs `work` on a connection of its own that has no time limits; for schema changes. */
  maintenance<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;

  stats(): ConnectionStats;

  /** Lets uses that have begun come to their end, then closes everything. Idempotent. */
  close(): Promise<void>;
}

export interface ConnectionStats {
  readonly open: number;
  readonly busy: number;
  /** Uses that wait for a connection. */
  readonly waiting: number;
  readonly statements: number;
  /** Connections that were lost, not closed. */
  readonly lost: number;
}
