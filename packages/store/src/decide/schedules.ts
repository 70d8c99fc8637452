import type { MoveSchedule, PutSchedule, PutScheduleResult, StoredSchedule } from "../operations/schedules.ts";
import { sameBytes } from "./same-bytes.ts";

/** A schedule with its lease, as engines keep it. */
export interface ScheduleRow extends StoredSchedule {
  readonly leaseUntilMs: number | null;
}

/** `row` undefined = nothing is written. */
export function decidePutSchedule(
  { schedule, nowMs }: PutSchedule,
  stored: ScheduleRow | undefined,
): { readonly result: PutScheduleResult; readonly row: ScheduleRow | undefined } {
  if (stored !== undefined && isSame(schedule, stored)) {
    return { result: { outcome: "unchanged", nextFireMs: stored.nextFireMs }, row: undefined };
  }
  const { nextFireMs } = schedule;
  const row: ScheduleRow = {
    ...schedule,
    // Not from 1: who still has one in hand that was deleted must not take another of this id for it.
    revision: Math.max(nowMs, (stored?.revision ?? 0) + 1),
    lastInstanceId: stored?.lastInstanceId ?? null,
    leaseUntilMs: stored?.leaseUntilMs ?? null,
  };
  return { result: { outcome: stored === undefined ? "created" : "replaced", nextFireMs }, row };
}

/** The row as it is to be; undefined = `changed`. */
export function decideMoveSchedule(operation: MoveSchedule, stored: ScheduleRow | undefined): ScheduleRow | undefined {
  if (stored === undefined || stored.revision !== operation.revision) return undefined;
  const { nextFireMs, lastInstanceId = stored.lastInstanceId, leaseUntilMs = null } = operation;
  if ((nextFireMs ?? Number.POSITIVE_INFINITY) < (stored.nextFireMs ?? Number.POSITIVE_INFINITY)) return undefined;
  return { ...stored, nextFireMs, lastInstanceId, leaseUntilMs };
}

function isSame(given: PutSchedule["schedule"], stored: ScheduleRow): boolean {
  return (
    given.workflow === stored.workflow &&
    given.cron === stored.cron &&
    given.timezone === stored.timezone &&
    given.overlap === stored.overlap &&
    given.catchUp === stored.catchUp &&
    given.inactive === stored.inactive &&
    sameBytes(given.input, stored.input)
  );
}
