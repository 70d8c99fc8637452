import { decideClaim, decideRelease, extendedLease } from "../../decide/index.ts";
import { limits } from "../../limits.ts";
import type {
  ClaimWork,
  ClaimWorkResult,
  ReleaseWork,
  ReleaseWorkResult,
  RenewLease,
  RenewLeaseResult,
} from "../../operations/index.ts";
import { WorkQueries } from "../work-queries.ts";
import type { Context } from "./context.ts";
import type { LifeFacts } from "./registration.ts";

type Given = ClaimWorkResult["work"][number];

export function prepareClaimWork(context: Context, lifeFacts: LifeFacts): (operation: ClaimWork) => ClaimWorkResult {
  const queries = new WorkQueries(context.connection);
  const { rows } = context;

  /** Asks for a decision about each of these, as far as `capacity` and `bytesMax` reach. */
  function give(operation: ClaimWork, ids: readonly string[], sequence: number, capacity: number): Given[] {
    const work: Given[] = [];
    let bytes = 0;
    for (const instanceId of ids) {
      const entry = rows.get(instanceId);
      if (entry === undefined || work.length >= capacity) break;
      const { holder } = entry.row;
      const facts = {
        ...lifeFacts(entry),
        holderLeaseUntilMs: holder === null ? undefined : queries.worker(holder)?.leaseUntilMs,
        sequence,
      };
      bytes += facts.input?.length ?? 0;
      if (work.length > 0 && bytes > operation.bytesMax) break;
      const { result, changes } = decideClaim(operation, entry.row, facts);
      context.write(instanceId, changes);
      if (result !== undefined) work.push(result);
    }
    return work;
  }

  /** Ready ones as far as there is room, then those whose holder's lease has ended: they run already, so they need none. */
  function newWork(operation: ClaimWork, sequence: number): Given[] {
    const capacity = Math.min(operation.capacity, limits.claimMax);
    const room =
      operation.runningMax > 0 ? Math.max(0, operation.runningMax - queries.runningCount()) : Number.MAX_SAFE_INTEGER;
    const ready = queries.ready(operation, Math.min(capacity, room));
    const abandoned = queries.abandoned(operation, capacity - ready.length);
    return give(operation, [...ready, ...abandoned], sequence, capacity);
  }

  return (operation) => {
    const { workerId, tenantId, nowMs, leaseMs } = operation;
    rows.write();
    // First the lease, so that a worker never takes from itself what it still runs.
    const worker = queries.worker(workerId);
    const leaseUntilMs = extendedLease(worker?.leaseUntilMs, nowMs, leaseMs);
    const sequence = worker?.sequence ?? 0;
    queries.keepWorker(workerId, leaseUntilMs, sequence);
    const unconfirmed = queries.unconfirmed(operation);
    const isNew = unconfirmed.length === 0;
    const work = isNew
      ? newWork(operation, sequence + 1)
      : give({ ...operation, bytesMax: Number.MAX_SAFE_INTEGER }, unconfirmed, sequence, unconfirmed.length);
    const answered = isNew && work.length > 0 ? sequence + 1 : sequence;
    if (answered !== sequence) queries.keepWorker(workerId, leaseUntilMs, answered);
    rows.write();
    if (isNew) noteLeases(context, tenantId, work, leaseUntilMs);
    const nextReadyAtMs = queries.nextReadyAtMs(operation);
    return { outcome: "claimed", sequence: answered, work, leaseUntilMs, nextReadyAtMs };
  };
}

/** Others may claim it when this lease ends, and core takes it back a while later. */
function noteLeases({ notices }: Context, tenantId: string, work: readonly Given[], leaseUntilMs: number): void {
  for (const { facts } of work) {
    if (facts.workflow === null) continue;
    notices.add({ topic: "work", tenantId, workflow: facts.workflow, readyAtMs: leaseUntilMs });
  }
  if (work.length > 0) notices.add({ topic: "due", atMs: leaseUntilMs + limits.leaseGraceMs });
}

export function prepareRenewLease(context: Context): (operation: RenewLease) => RenewLeaseResult {
  const queries = new WorkQueries(context.connection);
  const lost = context.connection.prepare(
    `SELECT instance_id FROM lost_work JOIN instances USING (instance_key) WHERE worker_id = ? ORDER BY instance_id`,
  );
  return ({ workerId, leaseMs, nowMs }) => {
    const worker = queries.worker(workerId);
    const leaseUntilMs = extendedLease(worker?.leaseUntilMs, nowMs, leaseMs);
    queries.keepWorker(workerId, leaseUntilMs, worker?.sequence ?? 0);
    return { outcome: "renewed", leaseUntilMs, lost: lost.all<[string]>(workerId).map(([id]) => id) };
  };
}

export function prepareReleaseWork(context: Context): (operation: ReleaseWork) => ReleaseWorkResult {
  return (operation) => {
    for (const work of operation.work) {
      const row = context.rows.get(work.instanceId)?.row;
      context.write(work.instanceId, decideRelease(operation, work, row));
    }
    return { outcome: "released" };
  };
}
