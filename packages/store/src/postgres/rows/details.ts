import type { Instance, InstanceDetails } from "../../model.ts";
import type { Row } from "../connections/port.ts";
import { rowColumnCount, rowColumns, rowOf } from "./columns.ts";

/** What `detailsOf` reads, over the table `instances AS i`. */
export const detailColumns: string = `${rowColumns}, i.tags`;
/** What `instanceOf` reads. */
export const instanceColumns: string = `${detailColumns}, i.output, i.error, i.failure`;

/** How many columns `detailsOf` takes: others may follow. */
export const detailColumnCount: number = rowColumnCount + 1;

export function detailsOf(row: Row): InstanceDetails {
  const small = rowOf(row);
  return {
    instanceId: small.instanceId,
    tenantId: small.tenantId,
    status: small.status,
    reason: small.reason,
    reasonText: small.reasonText,
    exitCode: small.exitCode,
    workflow: small.workflow,
    version: small.version,
    tags: (row[rowColumnCount] as Readonly<Record<string, string>> | null) ?? {},
    createdAtMs: small.createdAtMs,
    firstStartedAtMs: small.firstStartedAtMs,
    startedAtMs: small.startedAtMs,
    finishedAtMs: small.finishedAtMs,
    readyAtMs: small.readyAtMs,
    waitingFor: small.waitingFor,
    run: small.run,
    parentInstanceId: small.parentId,
    holder: small.holder,
  };
}

export function instanceOf(row: Row): Instance {
  const small = rowOf(row);
  const [output, error, failure] = row.slice(detailColumnCount) as [Buffer | null, string | null, Buffer | null];
  return {
    ...detailsOf(row),
    checkpointId: small.checkpointId,
    checkpointCount: small.checkpointCount,
    epoch: small.epoch,
    lastSeenAtMs: small.lastSeenAtMs,
    output,
    error,
    failure,
  };
}
