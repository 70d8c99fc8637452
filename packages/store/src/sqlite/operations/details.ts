import type { InstanceRow } from "../../decide/row.ts";
import type { InstanceDetails } from "../../model.ts";
import type { Context } from "./context.ts";

type Tags = Readonly<Record<string, string>>;

export function prepareTags({ connection }: Context): (key: number) => Tags {
  const select = connection.prepare("SELECT tags FROM instances WHERE instance_key = ?");
  return (key) => parseTags(select.get<[string | null]>(key)?.[0] ?? null);
}

export function parseTags(json: string | null): Tags {
  return json === null ? {} : (JSON.parse(json) as Tags);
}

export function detailsOf(row: InstanceRow, tags: Tags): InstanceDetails {
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
    waitingFor: row.waitingFor,
    run: row.run,
    parentInstanceId: row.parentId,
    holder: row.holder,
  };
}
