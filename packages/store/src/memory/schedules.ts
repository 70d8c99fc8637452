import { decideMoveSchedule, decidePutSchedule, type ScheduleRow } from "../decide/index.ts";
import { badCursor, cursorOf, placeOf } from "../engines/cursors.ts";
import { claimed, shownSchedule } from "../engines/schedules.ts";
import type { OperationOf, ResultOf } from "../operations/index.ts";
import type { Context } from "./context.ts";
import { compareTexts, cutPage } from "./pages.ts";

type ScheduleKind = "putSchedule" | "deleteSchedule" | "listSchedules" | "claimSchedules" | "moveSchedule";
type Handlers = { readonly [K in ScheduleKind]: (context: Context, operation: OperationOf<K>) => ResultOf[K] };

/** No text has U+0000, so it parts them. */
function keyOf({ tenantId, scheduleId }: { readonly tenantId: string; readonly scheduleId: string }): string {
  return `${tenantId}\0${scheduleId}`;
}

export const schedules: Handlers = {
  putSchedule(context, operation) {
    const stored = context.database.schedules.get(keyOf(operation.schedule));
    const { result, row } = decidePutSchedule(operation, stored);
    if (row !== undefined) write(context, row);
    return result;
  },

  deleteSchedule({ database }, operation) {
    return { outcome: database.schedules.delete(keyOf(operation)) ? "deleted" : "absent" };
  },

  listSchedules({ database }, { tenantId, limit, cursor }) {
    const place = cursor === undefined ? undefined : placeOf("schedules", cursor, [""]);
    if (cursor !== undefined && place === undefined) return badCursor;
    const rows = [...database.schedules.values()]
      .filter((row) => row.tenantId === tenantId)
      .sort((a, b) => compareTexts(a.scheduleId, b.scheduleId));
    const cut = cutPage(rows, { limit }, place && (({ scheduleId }) => compareTexts(scheduleId, place[0]) > 0));
    return {
      outcome: "page",
      schedules: cut.rows.map(shownSchedule),
      nextCursor: cut.last && cursorOf("schedules", [cut.last.scheduleId]),
    };
  },

  claimSchedules({ database }, { nowMs, leaseMs, limit }) {
    const due = [...database.schedules.values()]
      .filter((row) => isDue(row, nowMs) && (row.leaseUntilMs ?? nowMs) <= nowMs)
      .sort(byTime)
      .slice(0, limit);
    for (const row of due) database.schedules.set(keyOf(row), { ...row, leaseUntilMs: nowMs + leaseMs });
    return { outcome: "claimed", schedules: due.map(claimed), nextMs: nextMs(database.schedules.values(), nowMs) };
  },

  moveSchedule(context, operation) {
    const row = decideMoveSchedule(operation, context.database.schedules.get(keyOf(operation)));
    if (row === undefined) return { outcome: "changed" };
    write(context, row);
    return { outcome: "moved" };
  },
};

function write({ database, notices }: Context, row: ScheduleRow): void {
  database.schedules.set(keyOf(row), { ...row, input: row.input?.slice() ?? null });
  if (row.nextFireMs !== null) notices.push({ topic: "schedule", atMs: row.nextFireMs });
}

function isDue({ nextFireMs }: ScheduleRow, nowMs: number): boolean {
  return nextFireMs !== null && nextFireMs <= nowMs;
}

function byTime(a: ScheduleRow, b: ScheduleRow): number {
  const byTenant = compareTexts(a.tenantId, b.tenantId);
  return (a.nextFireMs ?? 0) - (b.nextFireMs ?? 0) || byTenant || compareTexts(a.scheduleId, b.scheduleId);
}

/** Of those that lie ahead the time, of those that are due the end of the lease. */
function nextMs(rows: Iterable<ScheduleRow>, nowMs: number): number | undefined {
  let next = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    const { nextFireMs, leaseUntilMs } = row;
    if (nextFireMs === null) continue;
    next = Math.min(next, isDue(row, nowMs) ? Math.max(nextFireMs, leaseUntilMs ?? nextFireMs) : nextFireMs);
  }
  return next === Number.POSITIVE_INFINITY ? undefined : next;
}
