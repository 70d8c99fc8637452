import { badCursor, cursorOf, placeOf } from "../../engines/cursors.ts";
import { detailsOf } from "../../engines/details.ts";
import { cutPage, limitOf, offsetOf } from "../../engines/pages.ts";
import { type InstanceDetails, instanceStatuses } from "../../model.ts";
import type {
  CheckHealth,
  CheckHealthResult,
  ListInstances,
  ListInstancesResult,
  Page,
  QueryInstances,
  QueryInstancesResult,
} from "../../operations/index.ts";
import { type Columns, selectedColumns, toRow } from "../row-columns.ts";
import type { Statement, Value } from "../statements.ts";
import type { Context } from "./context.ts";
import { parseTags } from "./details.ts";

type Row = readonly [...Columns, tags: string | null];

const beginning: readonly [number, string] = [Number.MAX_SAFE_INTEGER, ""];

/** A page of the statement, whose last parameters are the place, the limit and the offset. */
function pageOf(
  select: Statement,
  filters: readonly Value[],
  page: Page,
):
  | {
      readonly outcome: "page";
      readonly instances: readonly InstanceDetails[];
      readonly nextCursor: string | undefined;
    }
  | undefined {
  const place = page.cursor === undefined ? beginning : placeOf("instances", page.cursor, [0, ""]);
  if (place === undefined) return undefined;
  const found = select.all<Row>(...filters, ...place, limitOf(page) + 1, offsetOf(page));
  const { rows, last } = cutPage(found, limitOf(page));
  return {
    outcome: "page",
    instances: rows.map((row) =>
      detailsOf(toRow(row.slice(0, -1) as unknown as Columns), parseTags(row.at(-1) as string)),
    ),
    nextCursor: last && cursorOf("instances", [last[13], last[1]]),
  };
}

const after = (at: string, id: string): string => `created_at <= ${at} AND (created_at < ${at} OR instance_id < ${id})`;

const newestFirst = (limit: string, offset: string): string =>
  `ORDER BY created_at DESC, instance_id DESC LIMIT ${limit} OFFSET ${offset}`;

/** One statement for each set of filters, so that each has its index. Without filters those of all statuses are merged. */
export function prepareListInstances(context: Context): (operation: ListInstances) => ListInstancesResult {
  const { connection, rows } = context;
  const statementsFor = (filter: string, parts: readonly string[] = [filter]) => ({
    select: connection.prepare(
      `${parts
        .map((part) => `SELECT ${selectedColumns}, tags FROM instances WHERE ${part} AND ${after("?3", "?4")}`)
        .join(" UNION ALL ")} ${newestFirst("?5", "?6")}`,
    ),
    count: connection.prepare(`SELECT count(*) FROM instances WHERE ${filter}`),
  });
  const byBoth = statementsFor("tenant_id = ?1 AND status = ?2");
  const byTenant = statementsFor("tenant_id = ?1 AND ?2 IS NULL");
  const byStatus = statementsFor("?1 IS NULL AND status = ?2");
  const all = statementsFor(
    "?1 IS NULL AND ?2 IS NULL",
    instanceStatuses.map((status) => `?1 IS NULL AND ?2 IS NULL AND status = '${status}'`),
  );
  return (operation) => {
    rows.write();
    const { tenantId = null, status = null, cursor } = operation;
    const [none, one] = status === null ? [all, byTenant] : [byStatus, byBoth];
    const { select, count } = tenantId === null ? none : one;
    const page = pageOf(select, [tenantId, status], operation);
    if (page === undefined) return badCursor;
    return { ...page, total: cursor === undefined ? count.get<[number]>(tenantId, status)?.[0] : undefined };
  };
}

export function prepareQueryInstances(context: Context): (operation: QueryInstances) => QueryInstancesResult {
  const select = context.connection.prepare(
    `SELECT ${selectedColumns}, tags FROM instances
     WHERE tenant_id = ?1 AND (?2 IS NULL OR workflow = ?2) AND (?3 IS NULL OR status IN (SELECT value FROM json_each(?3)))
       AND (?4 IS NULL OR created_at > ?4) AND (?5 IS NULL OR created_at < ?5)
       AND (?6 IS NULL OR NOT EXISTS (
         SELECT 1 FROM json_each(?6) AS wanted WHERE NOT EXISTS (
           SELECT 1 FROM json_each(instances.tags) AS has WHERE has.key = wanted.key AND has.value = wanted.value)))
       AND ${after("?7", "?8")} ${newestFirst("?9", "?10")}`,
  );
  return (operation) => {
    context.rows.write();
    const { tenantId, workflow, statuses, createdAfterMs, createdBeforeMs, tags } = operation;
    const filters = [
      tenantId,
      workflow ?? null,
      statuses.length === 0 ? null : JSON.stringify(statuses),
      createdAfterMs ?? null,
      createdBeforeMs ?? null,
      Object.keys(tags).length === 0 ? null : JSON.stringify(tags),
    ];
    return pageOf(select, filters, operation) ?? badCursor;
  };
}

export function prepareCheckHealth(context: Context): (operation: CheckHealth) => CheckHealthResult {
  const count = context.connection.prepare("SELECT count(*) FROM instances WHERE status IN ('running', 'suspended')");
  return () => {
    context.rows.write();
    return { outcome: "healthy", active: count.get<[number]>()?.[0] ?? 0 };
  };
}
