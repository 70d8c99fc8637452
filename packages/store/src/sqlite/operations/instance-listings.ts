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

type Place = readonly [createdAtMs: number, instanceId: string];

/** A page of the statement, whose last parameters are the place, the limit and the offset. */
function pageOf(
  select: Statement,
  filters: readonly Value[],
  page: Page,
  createdBeforeMs: number = Number.MAX_SAFE_INTEGER,
):
  | {
      readonly outcome: "page";
      readonly instances: readonly InstanceDetails[];
      readonly nextCursor: string | undefined;
    }
  | undefined {
  // No id is before the empty one, so this is the place behind everything that was created at that time or later.
  const beginning: Place = [createdBeforeMs, ""];
  const behind: Place | undefined = page.cursor === undefined ? beginning : placeOf("instances", page.cursor, [0, ""]);
  if (behind === undefined) return undefined;
  const place = behind[0] < createdBeforeMs ? behind : beginning;
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

/** Each part comes from an index in this order already, so that all together are never sorted. */
function merged(parts: readonly string[], order: string): string {
  return `${parts.map((part) => `SELECT ${selectedColumns}, tags FROM instances WHERE ${part}`).join(" UNION ALL ")} ${order}`;
}

/** One statement for each set of filters, so that each has its index. Without filters those of all statuses are merged. */
export function prepareListInstances(context: Context): (operation: ListInstances) => ListInstancesResult {
  const { connection, rows } = context;
  const statementsFor = (filter: string, parts: readonly string[] = [filter]) => ({
    select: connection.prepare(
      merged(
        parts.map((part) => `${part} AND ${after("?3", "?4")}`),
        newestFirst("?5", "?6"),
      ),
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

const wantedTags = `(?5 IS NULL OR NOT EXISTS (
  SELECT 1 FROM json_each(?5) AS wanted WHERE NOT EXISTS (
    SELECT 1 FROM json_each(instances.tags) AS has WHERE has.key = wanted.key AND has.value = wanted.value)))`;

/**
 * One statement for each index that can lead, made when it is first asked for. All take the same parameters. By status there is a part
 * for each status there can be, which finds nothing at once if fewer are wanted.
 */
export function prepareQueryInstances(context: Context): (operation: QueryInstances) => QueryInstancesResult {
  const statementOf = (parts: readonly string[]) => {
    const wanted = parts.map((part) => `${part} AND created_at > ?4 AND ${wantedTags} AND ${after("?6", "?7")}`);
    return once(() => context.connection.prepare(merged(wanted, newestFirst("?8", "?9"))));
  };
  const ofStatuses = "(?3 IS NULL OR status IN (SELECT value FROM json_each(?3)))";
  const byTenant = statementOf([`tenant_id = ?1 AND ${ofStatuses}`]);
  const byWorkflow = statementOf([`tenant_id = ?1 AND workflow = ?2 AND ${ofStatuses}`]);
  const byStatus = statementOf(
    instanceStatuses.map(
      (_, index) => `status = json_extract(?3, '$[${index}]') AND tenant_id = ?1 AND (?2 IS NULL OR workflow = ?2)`,
    ),
  );
  return (operation) => {
    context.rows.write();
    const { tenantId, workflow = null, createdAfterMs, createdBeforeMs, tags } = operation;
    const statuses = [...new Set(operation.statuses)];
    const filters = [
      tenantId,
      workflow,
      statuses.length === 0 ? null : JSON.stringify(statuses),
      createdAfterMs ?? Number.MIN_SAFE_INTEGER,
      Object.keys(tags).length === 0 ? null : JSON.stringify(tags),
    ];
    // Most instances have ended well: of a tenant or a workflow those are many, of all tenants far too many to look through. Those of the
    // other statuses are fewer, of all tenants and workflows together.
    const isRare = statuses.length > 0 && !statuses.includes("completed");
    const select = isRare ? byStatus : workflow === null ? byTenant : byWorkflow;
    return pageOf(select(), filters, operation, createdBeforeMs) ?? badCursor;
  };
}

function once(make: () => Statement): () => Statement {
  let made: Statement | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

export function prepareCheckHealth(context: Context): (operation: CheckHealth) => CheckHealthResult {
  const count = context.connection.prepare("SELECT count(*) FROM instances WHERE status IN ('running', 'suspended')");
  return () => {
    context.rows.write();
    return { outcome: "healthy", active: count.get<[number]>()?.[0] ?? 0 };
  };
}
