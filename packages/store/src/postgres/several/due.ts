import { decideDue, type InstanceRow } from "../../decide/index.ts";
import { limits } from "../../limits.ts";
import type { FireDue, FireDueResult } from "../../operations/index.ts";
import type { Connections, Row, Statement, Transaction } from "../connections/port.ts";
import { textArray } from "../parameters.ts";
import { rowColumnCount, rowColumns, rowOf } from "../rows/columns.ts";
import { withPending } from "../rows/lock.ts";
import { writeChanges } from "../rows/write-changes.ts";
import type { InstanceChanges } from "../rows/write-rows.ts";
import type { SeveralDone } from "./several.ts";

/** $1 now, $2 how many. */
export const dueStatement: Statement = {
  name: "due",
  text: `
SELECT ${rowColumns}, NULL::int8 FROM instances i WHERE i.due_ms <= $1::int8
ORDER BY i.due_ms, i.instance_id COLLATE "C" LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED`,
};

/** $1 when the lease must have ended, $2 how many. A renewal under way is passed over, one that came first makes the row fail. */
export const abandonedStatement: Statement = {
  name: "due_abandoned",
  text: `
SELECT ${rowColumns}, w.lease_until_ms FROM workers w JOIN instances i ON i.holder = w.worker_id
WHERE w.lease_until_ms <= $1::int8 AND i.status = 'running'
ORDER BY w.lease_until_ms, i.instance_id COLLATE "C" LIMIT $2
FOR NO KEY UPDATE OF i SKIP LOCKED FOR SHARE OF w SKIP LOCKED`,
};

const registryStatement: Statement = {
  name: "due_registry",
  text: "SELECT to_regclass('container_registry') IS NOT NULL",
};

/** The original's environment has a row for each process that it launched. */
const launchedStatement: Statement = {
  name: "due_launched",
  text: "SELECT instance_id FROM container_registry WHERE instance_id = ANY ($1::text[])",
};

/** $1 how long after its end a lease counts. */
export const nextStatement: Statement = {
  name: "due_next",
  text: `
SELECT least(
  (SELECT min(due_ms) FROM instances WHERE due_ms IS NOT NULL),
  (SELECT w.lease_until_ms + $1::int8 FROM workers w
   WHERE EXISTS (SELECT FROM instances i WHERE i.holder = w.worker_id AND i.status = 'running')
   ORDER BY w.lease_until_ms LIMIT 1)
)`,
};

export async function fireDue(connections: Connections, operation: FireDue): Promise<SeveralDone<FireDueResult>> {
  const outcomes: Record<"timedOut" | "lost" | "abandoned" | "none", string[]> = {
    timedOut: [],
    lost: [],
    abandoned: [],
    none: [],
  };
  const written = await connections.time.transaction(async (transaction) => {
    for (const list of Object.values(outcomes)) list.length = 0;
    const found = await find(transaction, operation);
    if (found.length === 0) return [];
    const rows = await withPending(
      transaction,
      found.map(({ row }) => row),
    );
    const launched = await readLaunched(transaction, [...rows.values()]);
    const changed: InstanceChanges[] = [];
    for (const { row, holderLeaseUntilMs } of found) {
      const facts = { holderLeaseUntilMs, launched: launched.has(row.instanceId) };
      const { result, changes } = decideDue(operation, row, facts);
      outcomes[result].push(row.instanceId);
      if (changes !== undefined) changed.push({ instanceId: row.instanceId, changes });
    }
    writeChanges(transaction, changed);
    return changed;
  });
  const nextDueAtMs = await readNextDue(connections, operation.nowMs);
  return {
    result: {
      outcome: "fired",
      timedOut: outcomes.timedOut,
      lost: outcomes.lost,
      abandoned: outcomes.abandoned,
      unsettled: written.some(({ changes }) => changes.row?.unsettled === true),
      nextDueAtMs,
    },
    written,
  };
}

/** What was fired is fired: if the next time cannot be read, it is to be asked for again at once. */
async function readNextDue(connections: Connections, nowMs: number): Promise<number | undefined> {
  const { rows } = await connections.readers
    .query(nextStatement, [limits.leaseGraceMs])
    .catch((): { rows: readonly Row[] } => ({ rows: [[nowMs]] }));
  return (rows[0]?.[0] as number | null | undefined) ?? undefined;
}

interface Due {
  readonly row: InstanceRow;
  readonly holderLeaseUntilMs: number;
}

/** Due rows first. Of their holders' leases nothing is said here: those that have ended are found, and locked, by the other statement. */
async function find(transaction: Transaction, { nowMs, limit }: FireDue): Promise<readonly Due[]> {
  const [due, abandoned] = await Promise.all([
    transaction.query(dueStatement, [nowMs, limit]),
    transaction.query(abandonedStatement, [nowMs - limits.leaseGraceMs, limit]),
  ]);
  const found = new Map<string, Due>();
  for (const row of [...abandoned.rows, ...due.rows]) {
    const each = dueOf(row, nowMs);
    if (!found.has(each.row.instanceId)) found.set(each.row.instanceId, each);
  }
  const order = [...due.rows, ...abandoned.rows].map((row) => row[0] as string);
  return [...new Set(order)].slice(0, limit).flatMap((instanceId) => found.get(instanceId) ?? []);
}

function dueOf(row: Row, nowMs: number): Due {
  return { row: rowOf(row), holderLeaseUntilMs: (row[rowColumnCount] as number | null) ?? nowMs };
}

async function readLaunched(transaction: Transaction, rows: readonly InstanceRow[]): Promise<ReadonlySet<string>> {
  const unheld = rows.flatMap(({ holder, instanceId }) => (holder === null ? [instanceId] : []));
  if (unheld.length === 0) return new Set();
  const registry = await transaction.query(registryStatement, []);
  if (registry.rows[0]?.[0] !== true) return new Set();
  const launched = await transaction.query(launchedStatement, [textArray(unheld)]);
  return new Set(launched.rows.map((row) => row[0] as string));
}
