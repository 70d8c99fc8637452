import type { InstanceRow } from "../decide/row.ts";
import type { Instance, InstanceDetails, InstanceStart } from "../model.ts";

export function detailsOf(row: InstanceRow, tags: InstanceDetails["tags"]): InstanceDetails {
  return {
    instanceId: row.instanceId,
    tenantId: row.tenantId,
    status: row.status,
    reason: row.reason,
    reasonText: row.reasonText,
    exitCode: row.exitCode,
    workflow: row.workflow,
    version: row.version,
    tags,
    createdAtMs: row.createdAtMs,
    firstStartedAtMs: row.firstStartedAtMs,
    startedAtMs: row.startedAtMs,
    finishedAtMs: row.finishedAtMs,
    readyAtMs: row.readyAtMs,
    // A row may be remembered; the caller's list is its own.
    waitingFor: [...row.waitingFor],
    run: row.run,
    parentInstanceId: row.parentId,
    holder: row.holder,
  };
}

export function instanceOf(
  row: InstanceRow,
  tags: InstanceDetails["tags"],
  { output, error, failure }: Pick<Instance, "output" | "error" | "failure">,
  start?: InstanceStart,
): Instance {
  return {
    ...detailsOf(row, tags),
    checkpointId: row.checkpointId,
    checkpointCount: row.checkpointCount,
    epoch: row.epoch,
    lastSeenAtMs: row.lastSeenAtMs,
    output,
    error,
    failure,
    ...(start === undefined ? {} : { start }),
  };
}
