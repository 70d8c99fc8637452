/** One report: the latest of some like events, and how many they were. */
export interface Throttled<Event> {
  readonly event: Event;
  readonly count: number;
}

interface Kind<Event> {
  reportedAtMs: number;
  event: Event;
  leftOut: number;
}

/**
 * Of events that a peer can cause as often as it likes, lets one of each kind through per interval, and tells how many it
 * stands for. The first is let through at once; what is left out comes with `due`. Pure: the caller brings the clock.
 */
export class FaultThrottle<Event> {
  readonly #intervalMs: number;
  readonly #kinds = new Map<string, Kind<Event>>();

  /** `intervalMs` 0: all are let through. Kinds are kept for ever, so they must be few. */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** How many events to report now, this one (or `times` of them) and those left out before it; 0 = leave it out. */
  take(kind: string, event: Event, nowMs: number, times = 1): number {
    const known = this.#kinds.get(kind);
    if (known === undefined) {
      this.#kinds.set(kind, { reportedAtMs: nowMs, event, leftOut: 0 });
      return times;
    }
    known.event = event;
    known.leftOut += times;
    return nowMs - known.reportedAtMs < this.#intervalMs ? 0 : report(known, nowMs);
  }

  /** What was left out and whose interval is over: to be reported now. `nowMs` Infinity: everything. */
  due(nowMs: number): Throttled<Event>[] {
    const reports: Throttled<Event>[] = [];
    for (const kind of this.#kinds.values()) {
      if (kind.leftOut === 0 || nowMs - kind.reportedAtMs < this.#intervalMs) continue;
      reports.push({ event: kind.event, count: report(kind, nowMs) });
    }
    return reports;
  }

  /** When `due` will next have something; undefined if nothing was left out. */
  nextDueMs(): number | undefined {
    let nextMs: number | undefined;
    for (const { leftOut, reportedAtMs } of this.#kinds.values()) {
      const dueMs = reportedAtMs + this.#intervalMs;
      if (leftOut > 0 && (nextMs === undefined || dueMs < nextMs)) nextMs = dueMs;
    }
    return nextMs;
  }
}

function report(kind: { reportedAtMs: number; leftOut: number }, nowMs: number): number {
  const count = kind.leftOut;
  kind.reportedAtMs = nowMs;
  kind.leftOut = 0;
  return count;
}
