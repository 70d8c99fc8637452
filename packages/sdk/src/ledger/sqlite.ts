import type { SqliteLike, StepContext } from "../api/step.ts";
import { FatalError } from "../errors.ts";
import { type LedgerPlace, readResult, writeResult } from "./ledger.ts";

const table = `CREATE TABLE IF NOT EXISTS runtara_ledger (
  key TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  instance_id TEXT NOT NULL,
  checkpoint_id TEXT NOT NULL,
  result TEXT,
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITHOUT ROWID`;
const read = "SELECT result FROM runtara_ledger WHERE key = ?";
const write = "INSERT INTO runtara_ledger (key, tenant_id, instance_id, checkpoint_id, result) VALUES (?, ?, ?, ?, ?)";

/** Runs the body in a transaction of its own, unless one of this step has been committed before. Another process waits meanwhile. */
export function inSqlite<D extends SqliteLike, T>(
  db: D,
  place: LedgerPlace,
  body: (tx: D, s: StepContext) => T,
  s: StepContext,
): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    db.exec(table);
    const earlier = db.prepare(read).get(place.key) as { result?: unknown } | undefined;
    const value = earlier === undefined ? runOnce(db, place, body, s) : (readResult(earlier.result) as T);
    db.exec("COMMIT");
    return value;
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

function runOnce<D extends SqliteLike, T>(
  db: D,
  { key, tenantId, instanceId, checkpointId }: LedgerPlace,
  body: (tx: D, s: StepContext) => T,
  s: StepContext,
): T {
  const value = body(db, s);
  if (typeof (value as { then?: unknown } | null | undefined)?.then === "function") {
    // Nobody will look at it: its failure must not end the process.
    Promise.resolve(value).catch(() => {});
    throw new FatalError(
      `transaction ${JSON.stringify(s.name)}: its function returned a promise; on SQLite it must be done when it returns`,
    );
  }
  db.prepare(write).run(key, tenantId, instanceId, checkpointId, writeResult(value, s.name));
  return value;
}

/** Some errors have ended the transaction already. */
function rollBack(db: SqliteLike): void {
  try {
    db.exec("ROLLBACK");
  } catch {
    // The error that led here is the one to tell.
  }
}
