import { decideDue, decideSettle, decideTouch } from "../decide/index.ts";
import { limits } from "../limits.ts";
import type * as operations from "../operations/index.ts";
import type { Context } from "./context.ts";
import type { MemoryDatabase } from "./database.ts";
import { settleFacts } from "./facts.ts";
import { compareTexts } from "./pages.ts";
import type { InstanceRecord } from "./records.ts";

export function fireDue(context: Context, operation: operations.FireDue): operations.FireDueResult {
  const { database } = context;
  const { limit, nowMs } = operation;
  const fired = { timedOut: [] as string[], lost: [] as string[], abandoned: [] as string[] };
  let unsettled = false;
  const due = dueRecords(database, nowMs);
  for (const { record } of due.slice(0, limit)) {
    const { instanceId } = record.row;
    const { result, changes } = decideDue(operation, record.row, {
      holderLeaseUntilMs: leaseEnd(database, record),
      launched: false,
    });
    context.write(instanceId, changes);
    if (result !== "none") fired[result].push(instanceId);
    unsettled ||= result !== "none" && record.row.unsettled;
  }
  const next = earliestDue(database);
  const isCut = due.length > 0 && due.length >= limit;
  return { outcome: "fired", ...fired, unsettled, nextDueAtMs: isCut ? Math.min(next ?? nowMs, nowMs) : next };
}

/** Instances whose due time has come, or whose holder's lease ended long ago; oldest first. */
function dueRecords(
  database: MemoryDatabase,
  nowMs: number,
): { readonly record: InstanceRecord; readonly atMs: number }[] {
  return dueTimes(database)
    .filter(({ atMs }) => atMs <= nowMs)
    .sort((a, b) => a.atMs - b.atMs || compareTexts(a.record.row.instanceId, b.record.row.instanceId));
}

function earliestDue(database: MemoryDatabase): number | undefined {
  const times = dueTimes(database).map(({ atMs }) => atMs);
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
}

function dueTimes(database: MemoryDatabase): { readonly record: InstanceRecord; readonly atMs: number }[] {
  const ids = new Set(database.due);
  for (const held of database.held.values()) for (const id of held) ids.add(id);
  return database.records(ids).flatMap((record) => {
    const { dueAtMs, holder, status } = record.row;
    const due = dueAtMs ?? Number.POSITIVE_INFINITY;
    const isHeld = holder !== null && status === "running";
    const abandoned = isHeld ? (leaseEnd(database, record) ?? 0) + limits.leaseGraceMs : Number.POSITIVE_INFINITY;
    const atMs = Math.min(due, abandoned);
    return atMs === Number.POSITIVE_INFINITY ? [] : [{ record, atMs }];
  });
}

function leaseEnd(database: MemoryDatabase, { row }: InstanceRecord): number | undefined {
  return row.holder === null ? undefined : database.workers.get(row.holder)?.leaseUntilMs;
}

export function settleEnded(context: Context, operation: operations.SettleEnded): operations.SettleEndedResult {
  const { database } = context;
  const open = database
    .records(database.unsettled)
    .sort(
      ({ row: a }, { row: b }) =>
        (a.finishedAtMs ?? 0) - (b.finishedAtMs ?? 0) || compareTexts(a.instanceId, b.instanceId),
    );
  const chosen = open.slice(0, operation.limit);
  let more = open.length > chosen.length;
  for (const record of chosen) {
    const decision = decideSettle(operation, record.row, settleFacts(database, record));
    context.writeWide(record.row, decision);
    more ||= decision.result.more;
  }
  return { outcome: "settled", count: chosen.length, more };
}

export function touchInstances(
  context: Context,
  operation: operations.TouchInstances,
): operations.TouchInstancesResult {
  for (const seen of operation.seen)
    context.write(seen.instanceId, decideTouch(seen, context.record(seen.instanceId)?.row));
  return { outcome: "touched" };
}
