import { type ClaimedWork, decideClaim, decideRelease, extendedLease, type InstanceRow } from "../decide/index.ts";
import { limits } from "../limits.ts";
import type * as operations from "../operations/index.ts";
import type { Context } from "./context.ts";
import type { MemoryDatabase, WorkerRecord } from "./database.ts";
import { lifeFacts } from "./facts.ts";
import { compareTexts } from "./pages.ts";
import type { InstanceRecord } from "./records.ts";

export function claimWork(context: Context, operation: operations.ClaimWork): operations.ClaimWorkResult {
  const { database } = context;
  const { workerId, received } = operation;
  // First the lease, so that a worker never takes from itself what it still runs.
  const worker = extendLease(database, operation);
  const unconfirmed = heldBy(database, workerId).filter(({ row }) => (row.claimSequence ?? 0) > received);
  const work =
    unconfirmed.length > 0
      ? unconfirmed.flatMap((record) => take(context, operation, record, worker.sequence) ?? [])
      : takeNew(context, operation, worker);
  return {
    outcome: "claimed",
    sequence: worker.sequence,
    work,
    leaseUntilMs: worker.leaseUntilMs,
    nextReadyAtMs: nextReadyAtMs(database, operation),
  };
}

function takeNew(context: Context, operation: operations.ClaimWork, worker: WorkerRecord): ClaimedWork[] {
  const { database } = context;
  const sequence = worker.sequence + 1;
  const work: ClaimedWork[] = [];
  let bytes = 0;
  for (const record of claimable(database, operation)) {
    bytes += record.input?.length ?? 0;
    if (work.length > 0 && bytes > operation.bytesMax) break;
    const taken = take(context, operation, record, sequence);
    if (taken !== undefined) work.push(taken);
  }
  if (work.length === 0) return work;
  worker.sequence = sequence;
  return work;
}

/** The rows of an answer: those whose time has come, earliest first, as far as there is room, then those whose lease has ended. */
function claimable(database: MemoryDatabase, operation: operations.ClaimWork): InstanceRecord[] {
  const capacity = Math.min(operation.capacity, limits.claimMax);
  const ready = database
    .records(database.ready)
    .filter(({ row }) => isOffered(operation, row) && isReady(row) && (row.readyAtMs ?? 0) <= operation.nowMs)
    .sort((a, b) => (a.row.readyAtMs ?? 0) - (b.row.readyAtMs ?? 0) || byId(a, b));
  const expired = leases(database, operation)
    .filter(({ leaseUntilMs }) => leaseUntilMs <= operation.nowMs)
    .sort((a, b) => a.leaseUntilMs - b.leaseUntilMs || byId(a.record, b.record));
  const room = operation.runningMax > 0 ? Math.max(0, operation.runningMax - countRunning(database)) : capacity;
  return [...ready.slice(0, Math.min(room, capacity)), ...expired.map(({ record }) => record)].slice(0, capacity);
}

function take(
  context: Context,
  operation: operations.ClaimWork,
  record: InstanceRecord,
  sequence: number,
): ClaimedWork | undefined {
  const { holder } = record.row;
  const holderLeaseUntilMs = holder === null ? undefined : context.database.workers.get(holder)?.leaseUntilMs;
  const { result, changes } = decideClaim(operation, record.row, {
    ...lifeFacts(record),
    holderLeaseUntilMs,
    sequence,
  });
  context.write(record.row.instanceId, changes);
  return result;
}

/** When something of these offers becomes claimable by itself: a planned start, a wake time, the end of a lease. */
function nextReadyAtMs(database: MemoryDatabase, operation: operations.ClaimWork): number | undefined {
  let next: number | undefined;
  const note = (atMs: number | null) => {
    if (atMs !== null && atMs > operation.nowMs && (next === undefined || atMs < next)) next = atMs;
  };
  for (const { row } of database.records(database.ready))
    if (isOffered(operation, row) && isReady(row)) note(row.readyAtMs);
  for (const { leaseUntilMs } of leases(database, operation)) note(leaseUntilMs);
  return next;
}

/** Running instances of the offers that are held, with the ends of their holders' leases. */
function leases(
  database: MemoryDatabase,
  operation: operations.ClaimWork,
): { readonly record: InstanceRecord; readonly leaseUntilMs: number }[] {
  return [...database.held.entries()].flatMap(([holder, ids]) => {
    const leaseUntilMs = database.workers.get(holder)?.leaseUntilMs ?? 0;
    const records = database.records(ids).filter(({ row }) => row.status === "running" && isOffered(operation, row));
    return records.map((record) => ({ record, leaseUntilMs }));
  });
}

function heldBy(database: MemoryDatabase, workerId: string): InstanceRecord[] {
  const held = database.records(database.held.get(workerId) ?? []).filter(({ row }) => row.status === "running");
  return held.sort((a, b) => (a.row.claimSequence ?? 0) - (b.row.claimSequence ?? 0) || byId(a, b));
}

function isReady({ status }: InstanceRow): boolean {
  return status === "pending" || status === "suspended";
}

function isOffered({ tenantId, offers }: operations.ClaimWork, row: InstanceRow): boolean {
  const { workflow, version } = row;
  return (
    row.tenantId === tenantId &&
    offers.some(({ name, versions }) => name === workflow && (version === null || versions.includes(version)))
  );
}

function countRunning(database: MemoryDatabase): number {
  let count = 0;
  for (const { row } of database.instances.values()) if (row.status === "running") count += 1;
  return count;
}

function byId(a: InstanceRecord, b: InstanceRecord): number {
  return compareTexts(a.row.instanceId, b.row.instanceId);
}

export function renewLease({ database }: Context, operation: operations.RenewLease): operations.RenewLeaseResult {
  const { leaseUntilMs } = extendLease(database, operation);
  const lost = [...(database.lost.get(operation.workerId) ?? [])].sort(compareTexts);
  return { outcome: "renewed", leaseUntilMs, lost };
}

function extendLease(
  { workers }: MemoryDatabase,
  { workerId, nowMs, leaseMs }: { workerId: string; nowMs: number; leaseMs: number },
): WorkerRecord {
  const known = workers.get(workerId);
  const leaseUntilMs = extendedLease(known?.leaseUntilMs, nowMs, leaseMs);
  const worker = known ?? { leaseUntilMs, sequence: 0 };
  worker.leaseUntilMs = leaseUntilMs;
  workers.set(workerId, worker);
  return worker;
}

export function releaseWork(context: Context, operation: operations.ReleaseWork): operations.ReleaseWorkResult {
  for (const work of operation.work)
    context.write(work.instanceId, decideRelease(operation, work, context.record(work.instanceId)?.row));
  return { outcome: "released" };
}
