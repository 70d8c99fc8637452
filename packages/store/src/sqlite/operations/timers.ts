import { childMessageId, decideDue, decideSettle } from "../../decide/index.ts";
import { limits } from "../../limits.ts";
import type { FireDue, FireDueResult, SettleEnded, SettleEndedResult } from "../../operations/index.ts";
import type { Entry } from "../instance-rows.ts";
import { WorkQueries } from "../work-queries.ts";
import type { Context } from "./context.ts";

function prepareDueQueries({ connection }: Context) {
  const sql = (text: string) => connection.prepare(text);
  return {
    due: sql(
      `SELECT instance_id, due_at FROM instances WHERE due_at <= ? AND due_at IS NOT NULL ORDER BY due_at, instance_id LIMIT ?`,
    ),
    abandoned: sql(
      `SELECT instance_id, lease_until FROM workers CROSS JOIN instances ON holder = worker_id WHERE lease_until <= ? AND status = 'running'
       ORDER BY lease_until, instance_id LIMIT ?`,
    ),
    nextDue: sql("SELECT due_at FROM instances WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1"),
    nextLease: sql(
      `SELECT lease_until FROM workers WHERE EXISTS (SELECT 1 FROM instances WHERE holder = worker_id AND status = 'running')
       ORDER BY lease_until LIMIT 1`,
    ),
  };
}

export function prepareFireDue(context: Context): (operation: FireDue) => FireDueResult {
  const queries = prepareDueQueries(context);
  const work = new WorkQueries(context.connection);
  const { rows } = context;

  /** Ids of what is due, oldest first. */
  function candidates({ nowMs, limit }: FireDue): string[] {
    const times = new Map(queries.due.all<[string, number]>(nowMs, limit));
    for (const [id, leaseUntilMs] of queries.abandoned.all<[string, number]>(nowMs - limits.leaseGraceMs, limit)) {
      const atMs = leaseUntilMs + limits.leaseGraceMs;
      times.set(id, Math.min(atMs, times.get(id) ?? atMs));
    }
    const sorted = [...times].sort(([a, at], [b, bt]) => at - bt || Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return sorted.slice(0, limit).map(([id]) => id);
  }

  function nextDueAtMs(): number | undefined {
    const due = queries.nextDue.get<[number]>()?.[0];
    const lease = queries.nextLease.get<[number]>()?.[0];
    const abandoned = lease === undefined ? undefined : lease + limits.leaseGraceMs;
    if (due === undefined || abandoned === undefined) return due ?? abandoned;
    return Math.min(due, abandoned);
  }

  return (operation) => {
    rows.write();
    const { nowMs, limit } = operation;
    const fired = { timedOut: [] as string[], lost: [] as string[], abandoned: [] as string[] };
    let unsettled = false;
    const ids = candidates(operation);
    for (const instanceId of ids) {
      const entry = rows.known(instanceId);
      const { row } = entry;
      const holderLeaseUntilMs = row.holder === null ? undefined : work.worker(row.holder)?.leaseUntilMs;
      const { result, changes } = decideDue(operation, row, { holderLeaseUntilMs, launched: false });
      context.write(instanceId, changes);
      if (result === "none") continue;
      fired[result].push(instanceId);
      unsettled ||= entry.row.unsettled;
    }
    rows.write();
    const next = nextDueAtMs();
    const isCut = ids.length > 0 && ids.length >= limit;
    return { outcome: "fired", ...fired, unsettled, nextDueAtMs: isCut ? Math.min(next ?? nowMs, nowMs) : next };
  };
}

export function prepareSettleEnded(context: Context): (operation: SettleEnded) => SettleEndedResult {
  const { connection, rows, signalIds } = context;
  const sql = (text: string) => connection.prepare(text);
  const open = sql("SELECT instance_id FROM instances WHERE unsettled = 1 ORDER BY finished_at, instance_id LIMIT ?");
  const results = sql("SELECT output, error, failure FROM instances WHERE instance_key = ?");
  const told = sql("SELECT 1 FROM instance_signals WHERE instance_key = ? AND message_id = ?");
  const children = sql(
    `SELECT instance_id FROM instances
     WHERE parent_id = ? AND detached = 0 AND status NOT IN ('completed', 'failed', 'cancelled')
       AND pending_signal IS NOT 'cancel' ORDER BY instance_id LIMIT ?`,
  );

  function settle(operation: SettleEnded, { key, row }: Entry): boolean {
    const [output = null, error = null, failure = null] =
      results.get<[Uint8Array | null, string | null, Uint8Array | null]>(key) ?? [];
    const parent = row.parentId === null ? undefined : rows.get(row.parentId);
    const openChildren =
      row.childCount === 0 ? [] : children.all<[string]>(row.instanceId, limits.settleChildrenMax + 1);
    const { result, changes, others } = decideSettle(operation, row, {
      output,
      error,
      failure,
      parent: parent?.row,
      told: parent !== undefined && told.get(parent.key, childMessageId(row.instanceId)) !== undefined,
      signalId: signalIds.next(),
      children: openChildren.slice(0, limits.settleChildrenMax).map(([id]) => rows.known(id).row),
      moreChildren: openChildren.length > limits.settleChildrenMax,
    });
    context.write(row.instanceId, changes);
    for (const other of others) context.write(other.instanceId, other.changes);
    return result.more;
  }

  return (operation) => {
    rows.write();
    const found = open.all<[string]>(operation.limit + 1);
    const ids = found.slice(0, operation.limit);
    let more = found.length > ids.length;
    for (const [instanceId] of ids) {
      more = settle(operation, rows.known(instanceId)) || more;
      rows.write();
    }
    return { outcome: "settled", count: ids.length, more };
  };
}
