import type { PgClientLike, PgPoolLike, StepContext } from "../api/step.ts";
import { type LedgerPlace, readResult, writeResult } from "./ledger.ts";

/** To be made by hand where the application may not make tables. */
const table = `CREATE TABLE IF NOT EXISTS runtara_ledger (
  key uuid PRIMARY KEY,
  tenant_id text NOT NULL,
  instance_id text NOT NULL,
  checkpoint_id text NOT NULL,
  result text,
  created_at timestamptz NOT NULL DEFAULT now()
)`;
const read = "SELECT result FROM runtara_ledger WHERE key = $1";
const write =
  "INSERT INTO runtara_ledger (key, tenant_id, instance_id, checkpoint_id, result) VALUES ($1, $2, $3, $4, $5)";
// Of those who make the table at the same time all but one would fail without it. Any number of our own.
const lock = "SELECT pg_advisory_xact_lock(8258166001)";

const undefinedTable = "42P01";
const uniqueViolation = "23505";

/** Runs the body in a transaction of its own, unless one of this step has been committed before. */
export async function inPostgres<C extends PgClientLike, T>(
  pool: PgPoolLike<C>,
  place: LedgerPlace,
  body: (tx: C, s: StepContext) => Promise<T>,
  s: StepContext,
): Promise<T> {
  const client = await pool.connect();
  const stopListening = hearErrors(client);
  // A connection on which even the end of a transaction fails is not given to the next.
  let isBroken = false;
  const rollBack = async (): Promise<void> => {
    try {
      await client.query("ROLLBACK");
    } catch {
      isBroken = true;
    }
  };
  try {
    // It may have waited long for its turn.
    s.signal.throwIfAborted();
    await begin(client, rollBack);
    const earlier = await client.query(read, [place.key]);
    if (earlier.rows.length > 0) {
      await rollBack();
      return resultOf(earlier.rows) as T;
    }
    const value = await body(client, s);
    const { key, tenantId, instanceId, checkpointId } = place;
    await client.query(write, [key, tenantId, instanceId, checkpointId, writeResult(value, s.name)]);
    // An attempt that was given up, by time-out or cancel, has an outcome already: its writes must not outlive that.
    s.signal.throwIfAborted();
    await client.query("COMMIT");
    return value;
  } catch (error) {
    await rollBack();
    // Another process was faster: what counts is its result, and what this one wrote is gone.
    if (!isBroken && isOurRow(error)) {
      const theirs = await client.query(read, [place.key]);
      if (theirs.rows.length > 0) return resultOf(theirs.rows) as T;
    }
    throw error;
  } finally {
    stopListening();
    client.release(isBroken);
  }
}

/** A connection that is lost while no query is under way says so by an event, which would end the process if nobody listened. The next query
 *  fails anyway. */
function hearErrors(client: PgClientLike): () => void {
  const { on, off } = client as { on?: unknown; off?: unknown };
  if (typeof on !== "function" || typeof off !== "function") return () => {};
  const ignore = (): void => {};
  on.call(client, "error", ignore);
  return () => off.call(client, "error", ignore);
}

/** A transaction in which there is a ledger. */
async function begin(client: PgClientLike, rollBack: () => Promise<void>): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query("SELECT 1 FROM runtara_ledger LIMIT 0");
    return;
  } catch (error) {
    if (codeOf(error) !== undefinedTable) throw error;
  }
  await rollBack();
  await client.query("BEGIN");
  await client.query(lock);
  await client.query(table);
  await client.query("COMMIT");
  await client.query("BEGIN");
}

function isOurRow(error: unknown): boolean {
  return codeOf(error) === uniqueViolation && (error as { table?: unknown }).table === "runtara_ledger";
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null ? (error as { code?: unknown }).code : undefined;
}

function resultOf(rows: readonly unknown[]): unknown {
  return readResult((rows[0] as { result?: unknown }).result);
}
