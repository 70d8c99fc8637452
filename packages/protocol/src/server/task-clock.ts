let nowMs: number | undefined;

/**
 * `performance.now`, read once per run of a task's synchronous part: the calls of a batch, which come one after the other
 * without a promise job in between, share one reading.
 */
export function taskNow(): number {
  if (nowMs === undefined) {
    nowMs = performance.now();
    queueMicrotask(forget);
  }
  return nowMs;
}

function forget(): void {
  nowMs = undefined;
}
