import { badCursor, cursorOf, placeOf } from "../engines/cursors.ts";
import { detailsOf, instanceOf } from "../engines/details.ts";
import type { Instance, InstanceDetails } from "../model.ts";
import type {
  ListInstances,
  ListInstancesResult,
  Page,
  QueryInstances,
  QueryInstancesResult,
} from "../operations/index.ts";
import type { MemoryDatabase } from "./database.ts";
import { fresh } from "./facts.ts";
import { compareTexts, cutPage } from "./pages.ts";
import type { InstanceRecord } from "./records.ts";

export function listInstances(database: MemoryDatabase, operation: ListInstances): ListInstancesResult {
  const { tenantId, status, cursor } = operation;
  const records = [...database.instances.values()].filter(
    ({ row }) =>
      (tenantId === undefined || row.tenantId === tenantId) && (status === undefined || row.status === status),
  );
  const page = newestFirst(records, operation);
  return page === undefined ? badCursor : { ...page, total: cursor === undefined ? records.length : undefined };
}

export function queryInstances(database: MemoryDatabase, operation: QueryInstances): QueryInstancesResult {
  const records = [...database.instances.values()].filter((record) => fits(record, operation));
  return newestFirst(records, operation) ?? badCursor;
}

function fits({ row, tags }: InstanceRecord, filter: QueryInstances): boolean {
  const { createdAtMs } = row;
  return (
    row.tenantId === filter.tenantId &&
    (filter.workflow === undefined || row.workflow === filter.workflow) &&
    (filter.statuses.length === 0 || filter.statuses.includes(row.status)) &&
    (filter.createdAfterMs === undefined || createdAtMs > filter.createdAfterMs) &&
    (filter.createdBeforeMs === undefined || createdAtMs < filter.createdBeforeMs) &&
    Object.entries(filter.tags).every(([name, value]) => Object.hasOwn(tags, name) && tags[name] === value)
  );
}

interface InstancePage {
  readonly outcome: "page";
  readonly instances: readonly InstanceDetails[];
  readonly nextCursor: string | undefined;
}

function newestFirst(records: InstanceRecord[], page: Page): InstancePage | undefined {
  const place = page.cursor === undefined ? undefined : placeOf("instances", page.cursor, [0, ""]);
  if (page.cursor !== undefined && place === undefined) return undefined;
  records.sort((a, b) => compareNewest(a, b.row.createdAtMs, b.row.instanceId));
  const behind =
    place === undefined ? undefined : (record: InstanceRecord) => compareNewest(record, place[0], place[1]) > 0;
  const { rows, last } = cutPage(records, page, behind);
  return {
    outcome: "page",
    instances: rows.map(shownDetails),
    nextCursor: last && cursorOf("instances", [last.row.createdAtMs, last.row.instanceId]),
  };
}

/** Above 0: the record comes after that place in a listing with the newest first. */
function compareNewest({ row }: InstanceRecord, createdAtMs: number, instanceId: string): number {
  return createdAtMs - row.createdAtMs || compareTexts(instanceId, row.instanceId);
}

export function shownDetails({ row, tags }: InstanceRecord): InstanceDetails {
  return detailsOf(row, { ...tags });
}

export function shownInstance(record: InstanceRecord, withStart = false): Instance {
  const { row, tags, output, error, failure, input } = record;
  const start = withStart ? { input: fresh(input), seed: fresh(row.seed) } : undefined;
  return instanceOf(row, { ...tags }, { output: fresh(output), error, failure: fresh(failure) }, start);
}
