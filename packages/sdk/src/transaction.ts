import type { PgClientLike, PgClientOf, PgPoolLike, SqliteLike, StepContext, StepFn, StepOptions } from "./api/step.ts";
import { ContextError } from "./errors.ts";
import type { LedgerPlace } from "./ledger/ledger.ts";
import { inPostgres } from "./ledger/postgres.ts";
import { inSqlite } from "./ledger/sqlite.ts";
import { currentContext } from "./run/frame.ts";
import type { Storable } from "./values/storable.ts";

/** A step whose database writes and whose result commit together: exactly once, whatever crashes, in every mode. `db` is your own database: a pg
 *  pool, of which one client is taken, or a `DatabaseSync` of node:sqlite (then `fn` is synchronous). `fn` writes through `tx` and ends no
 *  transaction itself. An attempt that is given up, by time-out or cancel, commits nothing.
 *
 *  In the same transaction one row goes into the table `runtara_ledger` of that database, made on first use: the result, in plain text, under the
 *  step's idempotency key. It is read by later attempts; once the instance has ended it may be deleted (`created_at`).
 *  @throws what `fn` or the database threw last, after the rollback; otherwise like `step` */
export function transaction<P extends PgPoolLike, T>(
  db: P,
  name: string,
  fn: ((tx: PgClientOf<P>, s: StepContext) => Promise<T>) & Storable<T>,
  options?: StepOptions<T>,
): Promise<T>;
export function transaction<D extends SqliteLike, T>(
  db: D,
  name: string,
  fn: ((tx: D, s: StepContext) => T) & Storable<T>,
  options?: StepOptions<T>,
): Promise<T>;
export function transaction<T>(
  db: PgPoolLike<PgClientLike> | SqliteLike,
  name: string,
  fn: (tx: never, s: StepContext) => T | Promise<T>,
  options?: StepOptions<T>,
): Promise<T> {
  const context = currentContext("transaction");
  if (typeof fn !== "function") {
    throw new ContextError(`transaction ${JSON.stringify(name)}: the third argument must be a function`);
  }
  const body = bodyOf<T>(db, name, fn);
  const { tenantId, instanceId } = context;
  const inTransaction = (s: StepContext): T | Promise<T> =>
    body({ tenantId, instanceId, checkpointId: s.checkpointId, key: s.idempotencyKey }, s);
  // What can be stored was asked of `fn`.
  return context.step<T>(name, inTransaction as StepFn<T>, options, transaction);
}

function bodyOf<T>(
  db: PgPoolLike<PgClientLike> | SqliteLike,
  name: string,
  fn: (tx: never, s: StepContext) => T | Promise<T>,
): (place: LedgerPlace, s: StepContext) => T | Promise<T> {
  if (isSqlite(db)) return (place, s) => inSqlite(db, place, fn as (tx: SqliteLike, s: StepContext) => T, s);
  if (typeof (db as Partial<PgPoolLike<PgClientLike>> | undefined)?.connect === "function") {
    return (place, s) => inPostgres(db, place, fn as (tx: PgClientLike, s: StepContext) => Promise<T>, s);
  }
  throw new ContextError(
    `transaction ${JSON.stringify(name)}: the first argument must be a pg pool, or a DatabaseSync of node:sqlite`,
  );
}

function isSqlite(db: PgPoolLike<PgClientLike> | SqliteLike): db is SqliteLike {
  const { exec, prepare } = (db ?? {}) as Partial<SqliteLike>;
  return typeof exec === "function" && typeof prepare === "function";
}
