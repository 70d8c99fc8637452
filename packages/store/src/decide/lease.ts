/** The end of a lease that is claimed under or renewed: it never shrinks. `untilMs` undefined = the worker has none yet. */
export function extendedLease(untilMs: number | undefined, nowMs: number, leaseMs: number): number {
  return Math.max(untilMs ?? 0, nowMs + leaseMs);
}
