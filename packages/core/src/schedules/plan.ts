import type { ClaimedSchedule } from "@runtara/store";
import { limits } from "../limits.ts";
import type { CronTimes } from "./cron-times.ts";

export interface Moment {
  readonly nowMs: number;
  /** The instance that the schedule started last is over, or there is none. */
  readonly lastHasEnded: boolean;
  /** Times that have waited longer were missed. */
  readonly graceMs: number;
  readonly startsMax: number;
}

/** What is to be done about a schedule whose time has come. */
export interface Firing {
  /** Planned times to start instances for. */
  readonly start: readonly number[];
  readonly nextFireMs: number | null;
  /** Others wait until the last one has ended: look again then. */
  readonly lookAgainMs?: number;
}

/**
 * Pure. Times that have come are started as `overlap` says; those that were missed, because nobody fired for longer than the grace, count as
 * `catchUp` says: none, the last one, or all. A time that somebody had in hand in due time was not missed: its firing was cut short, or it waits in
 * the queue.
 */
export function planFiring(schedule: ClaimedSchedule, times: CronTimes, moment: Moment): Firing {
  const { nextFireMs } = schedule;
  if (nextFireMs === null || nextFireMs > moment.nowMs) return { start: [], nextFireMs };
  const next = times.next(moment.nowMs) ?? null;
  switch (schedule.overlap) {
    case "all": {
      const due = dueTimes(schedule, nextFireMs, times, moment, moment.startsMax + 1);
      return { start: due.slice(0, moment.startsMax), nextFireMs: due[moment.startsMax] ?? next };
    }
    case "skip":
      return { start: moment.lastHasEnded ? dueTimes(schedule, nextFireMs, times, moment, 1) : [], nextFireMs: next };
    case "queue":
      return queued(dueTimes(schedule, nextFireMs, times, moment, 2), next, moment);
  }
}

/** One at a time; the others wait. */
function queued([first, second]: readonly number[], next: number | null, { nowMs, lastHasEnded }: Moment): Firing {
  if (first === undefined) return { start: [], nextFireMs: next };
  if (!lastHasEnded) return { start: [], nextFireMs: first, lookAgainMs: nowMs + lookIn(nowMs - first) };
  if (second === undefined) return { start: [first], nextFireMs: next };
  return { start: [first], nextFireMs: second, lookAgainMs: nowMs + lookIn(0) };
}

/** The longer it has waited, the later it is looked after again: a tenth. */
function lookIn(waitedMs: number): number {
  return Math.min(Math.max(waitedMs / 10, limits.scheduleLookMs), limits.scheduleLookMsMax);
}

/** The times that count from `firstMs` on, at most so many, oldest first. */
function dueTimes(
  { catchUp, overlap, attendedUntilMs }: ClaimedSchedule,
  firstMs: number,
  times: CronTimes,
  { nowMs, graceMs }: Moment,
  count: number,
): readonly number[] {
  if (catchUp === "all") return listed(times, firstMs, nowMs, count);
  const missedBeforeMs = nowMs - graceMs;
  const seenUntilMs = attended(attendedUntilMs, nowMs, graceMs);
  const seen = listed(times, firstMs, Math.min(seenUntilMs, missedBeforeMs - 1), count);
  const missed = times.last(missedBeforeMs);
  const hasMissed = missed !== undefined && missed >= firstMs && missed > seenUntilMs;
  // What waits behind the head of the queue would later look as if all since had been seen.
  const kept = overlap === "queue" && hasMissed ? seen.slice(0, 1) : seen;
  const late = hasMissed && catchUp === "last" ? [missed] : [];
  const fresh = firstMs >= missedBeforeMs ? firstMs : times.next(missedBeforeMs - 1);
  const inTime = fresh === undefined ? [] : listed(times, fresh, nowMs, count);
  return [...kept, ...late, ...inTime].slice(0, count);
}

/** Up to when somebody had it in hand: to this day, if that was less than a grace ago. */
function attended(untilMs: number | null, nowMs: number, graceMs: number): number {
  if (untilMs === null) return Number.NEGATIVE_INFINITY;
  return nowMs - untilMs <= graceMs ? nowMs : untilMs;
}

/** Times from `firstMs`, which is one, to `lastMs`, at most so many. */
function listed(times: CronTimes, firstMs: number, lastMs: number, count: number): number[] {
  const found: number[] = [];
  let at: number | undefined = firstMs;
  while (at !== undefined && at <= lastMs && found.length < count) {
    found.push(at);
    at = times.next(at);
  }
  return found;
}
