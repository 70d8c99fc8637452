import { decideRelease } from "../../decide/index.ts";
import { limits } from "../../limits.ts";
import type { ReleaseWork, ReleaseWorkResult, RenewLease, RenewLeaseResult } from "../../operations/index.ts";
import { sqlState } from "../connections/errors.ts";
import type { Answer, Connections, Sessions, Statement } from "../connections/port.ts";
import { textArray } from "../parameters.ts";
import { lockRows } from "../rows/lock.ts";
import { writeChanges } from "../rows/write-changes.ts";
import type { InstanceChanges } from "../rows/write-rows.ts";
import { send } from "../send.ts";
import { leaseStatement } from "./claim-statements.ts";
import type { SeveralDone } from "./several.ts";

export const lostStatement: Statement = {
  name: "lease_lost",
  text: `SELECT instance_id FROM lost_work WHERE worker_id = $1 ORDER BY instance_id COLLATE "C"`,
};

export const forgetStatement: Statement = {
  name: "lease_forget",
  text: "DELETE FROM lost_work WHERE worker_id = $1 AND instance_id = ANY ($2::text[])",
};

/** $1 how long at most, to the end of the transaction. */
const lockTimeoutStatement: Statement = {
  name: "lease_lock_timeout",
  text: "SELECT set_config('lock_timeout', $1, true)",
};

const lockNotAvailable = "55P03";

/** A claim of the same worker holds its row to its end, and may wait itself: the renewal then waits where claims wait, out of the way of others. */
export async function renewLease(
  connections: Connections,
  operation: RenewLease,
): Promise<SeveralDone<RenewLeaseResult>> {
  const { leaseMs, nowMs } = operation;
  const [lease, lost] = await renew(connections.time, operation, limits.renewalLockTimeoutMs).catch(
    (error: unknown) => {
      if (sqlState(error) !== lockNotAvailable) throw error;
      return renew(connections.several, operation);
    },
  );
  const leaseUntilMs = (lease.rows[0]?.[0] as number | undefined) ?? nowMs + leaseMs;
  return {
    result: { outcome: "renewed", leaseUntilMs, lost: lost.rows.map((row) => row[0] as string) },
    written: [],
  };
}

/** The worker's lease, and what it has lost. Waits `waitMs` for the worker's row; without it, as long as any statement may. */
async function renew(
  sessions: Sessions,
  { workerId, leaseMs, nowMs }: RenewLease,
  waitMs?: number,
): Promise<readonly [Answer, Answer]> {
  return await sessions.transaction(async (transaction) => {
    if (waitMs !== undefined) send(transaction, lockTimeoutStatement, [`${waitMs}`]);
    return await Promise.all([
      transaction.query(leaseStatement, [workerId, nowMs + leaseMs]),
      transaction.query(lostStatement, [workerId]),
    ]);
  });
}

export async function releaseWork(
  connections: Connections,
  operation: ReleaseWork,
): Promise<SeveralDone<ReleaseWorkResult>> {
  const ids = operation.work.map(({ instanceId }) => instanceId);
  const written = await connections.several.transaction(async (transaction) => {
    const rows = await lockRows(transaction, ids);
    const changed: InstanceChanges[] = [];
    for (const work of operation.work) {
      const changes = decideRelease(operation, work, rows.get(work.instanceId));
      if (changes === undefined) continue;
      rows.apply(changes.row);
      changed.push({ instanceId: work.instanceId, changes });
    }
    writeChanges(transaction, changed);
    // Also of instances that are not there any more.
    send(transaction, forgetStatement, [operation.workerId, textArray(ids)]);
    return changed;
  });
  return { result: { outcome: "released" }, written };
}
