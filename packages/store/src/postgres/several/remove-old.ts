import { isFinal } from "../../lifecycle/transition.ts";
import { instanceStatuses } from "../../model.ts";
import type { RemoveOld, RemoveOldResult } from "../../operations/index.ts";
import type { Connections, Statement, Transaction } from "../connections/port.ts";
import { msOf, timestampOf } from "../sql.ts";
import type { SeveralDone } from "./several.ts";

/** How long a worker is remembered whose lease has ended. */
const workerKeptMs = 86_400_000;

const final = instanceStatuses
  .filter(isFinal)
  .map((status) => `'${status}'`)
  .join(", ");

/** As `removable` says: ended, its effects carried out, no child that has not ended. */
const removable = `i.status IN (${final}) AND NOT i.unsettled AND NOT EXISTS (
  SELECT FROM instances c WHERE c.parent_id = i.instance_id AND c.status NOT IN (${final}))`;

/** Some ends that the original wrote have no time. */
const endedAt = "coalesce(i.finished_at, i.created_at)";

/** $1 and $2: rows before this time, and those of instances that ended before that one; NULL = none. $3 how many. */
function removeRows(table: string, key: readonly string[], isBefore: (ms: string) => string): Statement {
  const columns = (prefix: string): string => key.map((column) => `${prefix}${column}`).join(", ");
  return {
    name: `remove_${table}`,
    text: `
DELETE FROM ${table} WHERE (${columns("")}) IN (
  SELECT ${columns("r.")} FROM instances i JOIN ${table} r ON r.instance_id = i.instance_id
  WHERE ${removable} AND (${isBefore("$1::int8")} OR ${endedAt} < ${timestampOf("$2::int8")})
  ORDER BY ${endedAt} LIMIT $3 FOR UPDATE OF r SKIP LOCKED
)`,
  };
}

const checkpointsStatement = removeRows(
  "checkpoints",
  ["instance_id", "id"],
  (ms) => `r.created_at < ${timestampOf(ms)}`,
);
const eventsStatement = removeRows(
  "instance_events",
  ["id"],
  (ms) => `coalesce(r.received_ms, ${msOf("r.created_at")}) < ${ms}`,
);
const retriesStatement = removeRows(
  "retry_attempts",
  ["instance_id", "checkpoint_id", "attempt"],
  (ms) => `r.created_ms < ${ms}`,
);

/** $1 ended before, $2 how many. With them goes what refers to them (signals, sleeps, published values). */
const instancesStatement: Statement = {
  name: "remove_instances",
  text: `
DELETE FROM instances WHERE instance_id IN (
  SELECT i.instance_id FROM instances i
  WHERE ${removable} AND ${endedAt} < ${timestampOf("$1::int8")}
    AND NOT EXISTS (SELECT FROM checkpoints c WHERE c.instance_id = i.instance_id)
    AND NOT EXISTS (SELECT FROM instance_events e WHERE e.instance_id = i.instance_id)
    AND NOT EXISTS (SELECT FROM retry_attempts r WHERE r.instance_id = i.instance_id)
  ORDER BY ${endedAt} LIMIT $2 FOR UPDATE OF i SKIP LOCKED
)`,
};

/** $1 when the lease ended at the latest. */
const workersStatement: Statement = {
  name: "remove_workers",
  text: `
WITH gone AS (
  DELETE FROM workers WHERE worker_id IN (
    SELECT w.worker_id FROM workers w
    WHERE w.lease_until_ms <= $1::int8 AND NOT EXISTS (SELECT FROM instances i WHERE i.holder = w.worker_id)
    FOR UPDATE SKIP LOCKED
  ) RETURNING worker_id
)
DELETE FROM lost_work l USING gone WHERE l.worker_id = gone.worker_id`,
};

export async function removeOld(connections: Connections, operation: RemoveOld): Promise<SeveralDone<RemoveOldResult>> {
  const { checkpointsBeforeMs = null, eventsBeforeMs = null, instancesEndedBeforeMs = null, limit, nowMs } = operation;
  const result = await connections.several.transaction(async (transaction): Promise<RemoveOldResult> => {
    await transaction.query(workersStatement, [nowMs - workerKeptMs]);
    let room = limit;
    const remove = async (statement: Statement, ...before: (number | null)[]): Promise<number> => {
      const count = await removeUpTo(transaction, statement, before, room);
      room -= count;
      return count;
    };
    const saved = await remove(checkpointsStatement, checkpointsBeforeMs, instancesEndedBeforeMs);
    const retried = await remove(retriesStatement, checkpointsBeforeMs, instancesEndedBeforeMs);
    const events = await remove(eventsStatement, eventsBeforeMs, instancesEndedBeforeMs);
    const instances = await remove(instancesStatement, instancesEndedBeforeMs);
    return { outcome: "removed", instances, events, checkpoints: saved + retried, more: room === 0 };
  });
  return { result, written: [] };
}

async function removeUpTo(
  transaction: Transaction,
  statement: Statement,
  before: readonly (number | null)[],
  room: number,
): Promise<number> {
  if (room <= 0 || before.every((ms) => ms === null)) return 0;
  const { rowCount } = await transaction.query(statement, [...before, room]);
  return rowCount;
}
