import { decideMoveSchedule, decidePutSchedule, type ScheduleRow } from "../../decide/index.ts";
import { badCursor, cursorOf, placeOf } from "../../engines/cursors.ts";
import { cutPage, limitOf } from "../../engines/pages.ts";
import { claimed, shownSchedule } from "../../engines/schedules.ts";
import type { OperationOf, ResultOf, StoredSchedule } from "../../operations/index.ts";
import type { Value } from "../statements.ts";
import type { Context } from "./context.ts";

type ScheduleKind = "putSchedule" | "deleteSchedule" | "listSchedules" | "claimSchedules" | "moveSchedule";
type Handlers = { readonly [K in ScheduleKind]: (operation: OperationOf<K>) => ResultOf[K] };

const columns =
  "tenant_id, schedule_id, workflow, input, cron, timezone, overlap, catch_up, inactive, next_fire, last_instance_id, revision, lease_until";

type Columns = readonly [
  tenantId: string,
  scheduleId: string,
  workflow: string,
  input: Uint8Array | null,
  cron: string,
  timezone: string,
  overlap: StoredSchedule["overlap"],
  catchUp: StoredSchedule["catchUp"],
  inactive: number,
  nextFireMs: number | null,
  lastInstanceId: string | null,
  revision: number,
  leaseUntilMs: number | null,
];

function prepare({ connection }: Context) {
  const sql = (text: string) => connection.prepare(text);
  return {
    read: sql(`SELECT ${columns} FROM workflow_schedules WHERE tenant_id = ? AND schedule_id = ?`),
    put: sql(
      `INSERT INTO workflow_schedules (${columns}, created_at, updated_at) VALUES (${"?, ".repeat(13)}?14, ?14)
       ON CONFLICT DO UPDATE SET workflow = excluded.workflow, input = excluded.input, cron = excluded.cron, timezone = excluded.timezone,
         overlap = excluded.overlap, catch_up = excluded.catch_up, inactive = excluded.inactive, next_fire = excluded.next_fire,
         revision = excluded.revision, updated_at = excluded.updated_at`,
    ),
    remove: sql("DELETE FROM workflow_schedules WHERE tenant_id = ? AND schedule_id = ?"),
    list: sql(
      `SELECT ${columns} FROM workflow_schedules WHERE tenant_id = ? AND schedule_id > ? ORDER BY schedule_id LIMIT ?`,
    ),
    due: sql(
      `SELECT ${columns} FROM workflow_schedules WHERE next_fire IS NOT NULL AND next_fire <= ?1 AND coalesce(lease_until, 0) <= ?1
       ORDER BY next_fire, tenant_id, schedule_id LIMIT ?2`,
    ),
    lease: sql("UPDATE workflow_schedules SET lease_until = ? WHERE tenant_id = ? AND schedule_id = ?"),
    // Of those that lie ahead the time, of those that are due the end of the lease.
    ahead: sql(
      "SELECT next_fire FROM workflow_schedules WHERE next_fire IS NOT NULL AND next_fire > ? ORDER BY next_fire LIMIT 1",
    ),
    held: sql(
      `SELECT min(max(next_fire, coalesce(lease_until, next_fire))) FROM workflow_schedules WHERE next_fire IS NOT NULL AND next_fire <= ?`,
    ),
    move: sql(
      "UPDATE workflow_schedules SET next_fire = ?, last_instance_id = ?, lease_until = ? WHERE tenant_id = ? AND schedule_id = ?",
    ),
  };
}

export function prepareSchedules(context: Context): Handlers {
  const statements = prepare(context);
  const tell = (atMs: number | null) => {
    if (atMs !== null) context.notices.add({ topic: "schedule", atMs });
  };
  const read = (tenantId: string, scheduleId: string): ScheduleRow | undefined => {
    const row = statements.read.get<Columns>(tenantId, scheduleId);
    return row === undefined ? undefined : toRow(row);
  };
  return {
    putSchedule(operation) {
      const { tenantId, scheduleId } = operation.schedule;
      const { result, row } = decidePutSchedule(operation, read(tenantId, scheduleId));
      if (row === undefined) return result;
      statements.put.run(...valuesOf(row), operation.nowMs);
      tell(row.nextFireMs);
      return result;
    },

    deleteSchedule({ tenantId, scheduleId }) {
      return { outcome: statements.remove.run(tenantId, scheduleId) > 0 ? "deleted" : "absent" };
    },

    listSchedules({ tenantId, limit, cursor }) {
      // No id is before the empty one.
      const place = cursor === undefined ? [""] : placeOf("schedules", cursor, [""]);
      if (place === undefined) return badCursor;
      const rows = limitOf({ limit });
      const cut = cutPage(statements.list.all<Columns>(tenantId, place[0] ?? "", rows + 1), rows);
      return {
        outcome: "page",
        schedules: cut.rows.map((row) => shownSchedule(toRow(row))),
        nextCursor: cut.last && cursorOf("schedules", [cut.last[1]]),
      };
    },

    claimSchedules({ nowMs, leaseMs, limit }) {
      const due = statements.due.all<Columns>(nowMs, limit).map(toRow);
      for (const { tenantId, scheduleId } of due) statements.lease.run(nowMs + leaseMs, tenantId, scheduleId);
      const ahead = statements.ahead.get<[number]>(nowMs)?.[0];
      const held = statements.held.get<[number | null]>(nowMs)?.[0] ?? undefined;
      const nextMs = ahead === undefined || held === undefined ? (ahead ?? held) : Math.min(ahead, held);
      return { outcome: "claimed", schedules: due.map(claimed), nextMs };
    },

    moveSchedule(operation) {
      const { tenantId, scheduleId } = operation;
      const row = decideMoveSchedule(operation, read(tenantId, scheduleId));
      if (row === undefined) return { outcome: "changed" };
      statements.move.run(row.nextFireMs, row.lastInstanceId, row.leaseUntilMs, tenantId, scheduleId);
      tell(row.nextFireMs);
      return { outcome: "moved" };
    },
  };
}

function toRow(row: Columns): ScheduleRow {
  const [tenantId, scheduleId, workflow, input, cron, timezone, overlap, catchUp, inactive, ...rest] = row;
  const [nextFireMs, lastInstanceId, revision, leaseUntilMs] = rest;
  const texts = { tenantId, scheduleId, workflow, input, cron, timezone, overlap, catchUp };
  return { ...texts, inactive: inactive === 1, nextFireMs, lastInstanceId, revision, leaseUntilMs };
}

/** In the order of `columns`. */
function valuesOf(row: ScheduleRow): Value[] {
  const { tenantId, scheduleId, workflow, input, cron, timezone, overlap, catchUp, inactive } = row;
  const { nextFireMs, lastInstanceId, revision, leaseUntilMs } = row;
  const texts = [tenantId, scheduleId, workflow, input, cron, timezone, overlap, catchUp];
  return [...texts, inactive ? 1 : 0, nextFireMs, lastInstanceId, revision, leaseUntilMs];
}
