/** Bytes that a firing's id has beside its schedule's. */
export const firingIdBytes = 21;

/** Of the instance for this planned time: `<schedule id>-2026-11-21T10:00:00Z`. */
export function firingId(scheduleId: string, plannedMs: number): string {
  return `${scheduleId}-${new Date(plannedMs).toISOString().replace(/\.\d+Z$/, "Z")}`;
}
