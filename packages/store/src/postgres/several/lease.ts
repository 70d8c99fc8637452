import { decideRelease } from "../../decide/index.ts";
import type { ReleaseWork, ReleaseWorkResult, RenewLease, RenewLeaseResult } from "../../operations/index.ts";
import type { Connections, Statement } from "../connections/port.ts";
import { textArray } from "../parameters.ts";
import { lockRows } from "../rows/lock.ts";
import { writeChanges } from "../rows/write-changes.ts";
import type { InstanceChanges } from "../rows/write-rows.ts";
import { send } from "../send.ts";
import { leaseStatement } from "./claim-statements.ts";
import { inTurn } from "./in-turn.ts";
import type { SeveralDone } from "./several.ts";

export const lostStatement: Statement = {
  name: "lease_lost",
  text: `SELECT instance_id FROM lost_work WHERE worker_id = $1 ORDER BY instance_id COLLATE "C"`,
};

export const forgetStatement: Statement = {
  name: "lease_forget",
  text: "DELETE FROM lost_work WHERE worker_id = $1 AND instance_id = ANY ($2::text[])",
};

/** A claim of the same worker holds its row to its end, and may wait itself. */
export async function renewLease(
  connections: Connections,
  { workerId, leaseMs, nowMs }: RenewLease,
): Promise<SeveralDone<RenewLeaseResult>> {
  const [lease, lost] = await inTurn(connections, connections.time, (transaction) =>
    Promise.all([
      transaction.query(leaseStatement, [workerId, nowMs + leaseMs]),
      transaction.query(lostStatement, [workerId]),
    ]),
  );
  const leaseUntilMs = (lease.rows[0]?.[0] as number | undefined) ?? nowMs + leaseMs;
  return {
    result: { outcome: "renewed", leaseUntilMs, lost: lost.rows.map((row) => row[0] as string) },
    written: [],
  };
}

export async function releaseWork(
  connections: Connections,
  operation: ReleaseWork,
): Promise<SeveralDone<ReleaseWorkResult>> {
  const ids = operation.work.map(({ instanceId }) => instanceId);
  const written = await inTurn(connections, connections.several, async (transaction) => {
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
