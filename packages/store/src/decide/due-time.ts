import type { InstanceRow } from "./row.ts";

/** When the running time of a running instance is used up; null = never. */
export function timeOutAtMs(row: InstanceRow): number | null {
  return row.timeoutMs === null ? null : (row.startedAtMs ?? row.createdAtMs) + Math.max(0, row.timeoutMs - row.usedMs);
}

/** From when on a running instance is silent: its last sign of life, or the time at which somebody began to listen. */
export function silentSinceMs(row: InstanceRow, listeningSinceMs = 0): number {
  return Math.max(row.lastSeenAtMs ?? 0, row.startedAtMs ?? 0, listeningSinceMs);
}

/** When core has to look after a running instance: its time is up, or nobody has heard of it for too long. Null = never by itself. */
export function dueAtMs(row: InstanceRow, staleAfterMs: number, listeningSinceMs?: number): number | null {
  const timeOut = timeOutAtMs(row) ?? Number.POSITIVE_INFINITY;
  const silence =
    row.holder === null && staleAfterMs > 0
      ? silentSinceMs(row, listeningSinceMs) + staleAfterMs
      : Number.POSITIVE_INFINITY;
  const due = Math.min(timeOut, silence);
  return due === Number.POSITIVE_INFINITY ? null : due;
}
