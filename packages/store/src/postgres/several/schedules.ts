import { decideMoveSchedule, decidePutSchedule, type ScheduleRow } from "../../decide/index.ts";
import { badCursor, cursorOf, placeOf } from "../../engines/cursors.ts";
import { cutPage, limitOf } from "../../engines/pages.ts";
import { claimed, shownSchedule } from "../../engines/schedules.ts";
import type {
  ListSchedules,
  ListSchedulesResult,
  OperationOf,
  ResultOf,
  StoredSchedule,
} from "../../operations/index.ts";
import type { Notice } from "../../store.ts";
import type { Connections, Parameter, Row, Transaction } from "../connections/port.ts";
import { textArray } from "../parameters.ts";
import { send } from "../send.ts";
import * as statements from "./schedule-statements.ts";
import type { SeveralDone } from "./several.ts";

type WritingKind = "putSchedule" | "deleteSchedule" | "claimSchedules" | "moveSchedule";
type Handler<K extends WritingKind> = (
  connections: Connections,
  operation: OperationOf<K>,
) => Promise<SeveralDone<ResultOf[K]>>;

export const putSchedule: Handler<"putSchedule"> = (connections, operation) =>
  connections.several.transaction(async (transaction) => {
    const { tenantId, scheduleId } = operation.schedule;
    const [, found] = await Promise.all([
      transaction.query(statements.scheduleLockStatement, []),
      read(transaction, tenantId, scheduleId),
    ]);
    const { result, row } = decidePutSchedule(operation, found);
    if (row === undefined) return done(result);
    await transaction.query(statements.putScheduleStatement, [...valuesOf(row), operation.nowMs]);
    return done(result, row.nextFireMs);
  });

export const deleteSchedule: Handler<"deleteSchedule"> = async ({ several }, { tenantId, scheduleId }) => {
  const { rowCount } = await several.query(statements.deleteScheduleStatement, [tenantId, scheduleId]);
  return done({ outcome: rowCount > 0 ? "deleted" : "absent" });
};

export async function listSchedules({ readers }: Connections, operation: ListSchedules): Promise<ListSchedulesResult> {
  const { tenantId, cursor } = operation;
  // No id is before the empty one.
  const place = cursor === undefined ? [""] : placeOf("schedules", cursor, [""]);
  if (place === undefined) return badCursor;
  const limit = limitOf(operation);
  const { rows } = await readers.query(statements.listSchedulesStatement, [tenantId, place[0] ?? "", limit + 1]);
  const cut = cutPage(rows.map(toRow), limit);
  return {
    outcome: "page",
    schedules: cut.rows.map(shownSchedule),
    nextCursor: cut.last && cursorOf("schedules", [cut.last.scheduleId]),
  };
}

export const claimSchedules: Handler<"claimSchedules"> = async ({ time, readers }, { nowMs, leaseMs, limit }) => {
  const rows = await time.transaction(async (transaction) => {
    const due = await transaction.query(statements.dueSchedulesStatement, [nowMs, limit]);
    const column = (index: number) => textArray(due.rows.map((row) => row[index] as string));
    if (due.rows.length > 0) {
      send(transaction, statements.leaseSchedulesStatement, [column(0), column(1), nowMs + leaseMs]);
    }
    return due.rows;
  });
  // What was claimed is claimed: if the next time cannot be read, it is to be asked for again at once.
  const next = await readers
    .query(statements.nextScheduleStatement, [nowMs])
    .catch((): { rows: readonly Row[] } => ({ rows: [[nowMs]] }));
  const nextMs = (next.rows[0]?.[0] as number | null | undefined) ?? undefined;
  return done({ outcome: "claimed", schedules: rows.map((row) => claimed(toRow(row))), nextMs });
};

export const moveSchedule: Handler<"moveSchedule"> = (connections, operation) =>
  connections.time.transaction(async (transaction) => {
    const { tenantId, scheduleId } = operation;
    const row = decideMoveSchedule(operation, await read(transaction, tenantId, scheduleId));
    if (row === undefined) return done({ outcome: "changed" });
    const { nextFireMs, lastInstanceId, leaseUntilMs } = row;
    const values = [tenantId, scheduleId, nextFireMs, lastInstanceId, leaseUntilMs];
    await transaction.query(statements.moveScheduleStatement, values);
    return done({ outcome: "moved" }, nextFireMs);
  });

/** `atMs`: of the notice. */
function done<Result extends ResultOf[WritingKind]>(result: Result, atMs: number | null = null): SeveralDone<Result> {
  const notices: readonly Notice[] = atMs === null ? [] : [{ topic: "schedule", atMs }];
  return { result, written: [], notices };
}

async function read(transaction: Transaction, tenantId: string, scheduleId: string): Promise<ScheduleRow | undefined> {
  const { rows } = await transaction.query(statements.readScheduleStatement, [tenantId, scheduleId]);
  const [row] = rows;
  return row === undefined ? undefined : toRow(row);
}

function toRow(row: Row): ScheduleRow {
  const [tenantId, scheduleId, workflow, input, cron, timezone, overlap, catchUp, inactive, ...rest] = row as readonly [
    string,
    string,
    string,
    Buffer | null,
    string,
    string,
    StoredSchedule["overlap"],
    StoredSchedule["catchUp"],
    boolean,
    number | null,
    string | null,
    number,
    number | null,
  ];
  const [nextFireMs, lastInstanceId, revision, leaseUntilMs] = rest;
  const texts = { tenantId, scheduleId, workflow, input, cron, timezone, overlap, catchUp };
  return { ...texts, inactive, nextFireMs, lastInstanceId, revision, leaseUntilMs };
}

/** In the order of reading. */
function valuesOf(row: ScheduleRow): Parameter[] {
  const { tenantId, scheduleId, workflow, input, cron, timezone, overlap, catchUp, inactive } = row;
  const { nextFireMs, lastInstanceId, revision, leaseUntilMs } = row;
  const bytes = input === null ? null : Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  return [
    ...[tenantId, scheduleId, workflow, bytes, cron, timezone, overlap, catchUp, inactive],
    ...[nextFireMs, lastInstanceId, revision, leaseUntilMs],
  ];
}
