import type { ScheduleRow } from "../decide/schedules.ts";
import type { ClaimedSchedule, StoredSchedule } from "../operations/index.ts";

/** Without what is the engine's own; the caller's bytes are its own. */
export function shownSchedule({ leaseUntilMs: _, ...row }: ScheduleRow): StoredSchedule {
  return { ...row, input: row.input === null ? null : new Uint8Array(row.input) };
}

/** As it was before its claim. */
export function claimed(row: ScheduleRow): ClaimedSchedule {
  return { ...shownSchedule(row), attendedUntilMs: row.leaseUntilMs };
}
