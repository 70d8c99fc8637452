import { badCursor, cursorOf, placeOf } from "../../engines/cursors.ts";
import { cutPage } from "../../engines/pages.ts";
import type {
  ListInstances,
  ListInstancesResult,
  Page,
  QueryInstances,
  QueryInstancesResult,
} from "../../operations/index.ts";
import type { Connections, Row } from "../connections/port.ts";
import { detailColumnCount, detailColumns, detailsOf } from "../rows/details.ts";
import { isMicros, microsOf, timestampOf, timestampOfMicros } from "../sql.ts";
import { Conditions, rowsOf } from "./conditions.ts";

export async function listInstances(connections: Connections, operation: ListInstances): Promise<ListInstancesResult> {
  const { tenantId, status, cursor } = operation;
  const conditions = new Conditions();
  conditions.add("tenant", tenantId, (tenant) => `i.tenant_id = ${tenant}`);
  conditions.add("status", status, (value) => `i.status = ${value}::instance_status`);
  const counted = cursor === undefined ? count(connections, conditions) : undefined;
  const [page, total] = await Promise.all([newestFirst(connections, "list_instances", conditions, operation), counted]);
  return page === undefined ? badCursor : { ...page, total };
}

/** The count's values are taken now: the page adds its own. */
async function count(connections: Connections, conditions: Conditions): Promise<number> {
  const statement = conditions.statement(
    "count_instances",
    `SELECT count(*) FROM instances i WHERE ${conditions.where}`,
  );
  const { rows } = await connections.readers.query(statement, [...conditions.values]);
  return (rows[0]?.[0] as number | undefined) ?? 0;
}

export async function queryInstances(
  connections: Connections,
  operation: QueryInstances,
): Promise<QueryInstancesResult> {
  const { tenantId, workflow, statuses, createdAfterMs, createdBeforeMs, tags } = operation;
  const conditions = new Conditions();
  conditions.add("tenant", tenantId, (value) => `i.tenant_id = ${value}`);
  conditions.add("workflow", workflow, (value) => `i.workflow = ${value}`);
  conditions.add(
    "statuses",
    statuses.length === 0 ? undefined : statuses,
    (value) => `i.status = ANY (${value}::instance_status[])`,
  );
  conditions.add("after", createdAfterMs, (value) => `i.created_at > ${timestampOf(`${value}::int8`)}`);
  conditions.add("before", createdBeforeMs, (value) => `i.created_at < ${timestampOf(`${value}::int8`)}`);
  const wanted = Object.keys(tags).length === 0 ? undefined : JSON.stringify(tags);
  conditions.add("tags", wanted, (value) => `i.tags @> ${value}::jsonb`);
  return (await newestFirst(connections, "query", conditions, operation)) ?? badCursor;
}

/** Newest first, then by the bytes of the ids. The cursor has the database's own time, which may be finer than ours. */
async function newestFirst(connections: Connections, name: string, conditions: Conditions, page: Page) {
  const { cursor } = page;
  if (cursor !== undefined) {
    const place = placeOf("instances", cursor, ["", ""]);
    if (place === undefined || !isMicros(place[0])) return undefined;
    conditions.add("cursor", place[0], (createdAt) => {
      const instanceId = conditions.value(place[1]);
      return `(i.created_at, i.instance_id COLLATE "C") < (${timestampOfMicros(createdAt)}, ${instanceId})`;
    });
  }
  const { limit, read, offset } = rowsOf(page);
  const statement = conditions.statement(
    name,
    `SELECT ${detailColumns}, ${microsOf("i.created_at")} FROM instances i WHERE ${conditions.where}
     ORDER BY i.created_at DESC, i.instance_id COLLATE "C" DESC
     LIMIT ${conditions.value(read)} OFFSET ${conditions.value(offset)}`,
  );
  const answer = await connections.readers.query(statement, conditions.values);
  const { rows, last } = cutPage(answer.rows, limit);
  return { outcome: "page", instances: rows.map(detailsOf), nextCursor: last && cursorAfter(last) } as const;
}

function cursorAfter(row: Row): string {
  return cursorOf("instances", [row[detailColumnCount] as string, row[0] as string]);
}
