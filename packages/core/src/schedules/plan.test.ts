import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClaimedSchedule } from "@runtara/store";
import fc from "fast-check";
import { limits } from "../limits.ts";
import type { CronTimes } from "./cron-times.ts";
import { planFiring } from "./plan.ts";

const minute = 60_000;
/** Every minute. */
const minutes: CronTimes = {
  next: (afterMs) => (Math.floor(afterMs / minute) + 1) * minute,
  last: (beforeMs) => (Math.ceil(beforeMs / minute) - 1) * minute,
};

const base: ClaimedSchedule = {
  tenantId: "t",
  scheduleId: "s",
  workflow: "w",
  input: null,
  cron: "* * * * *",
  timezone: "UTC",
  overlap: "skip",
  catchUp: "none",
  inactive: false,
  nextFireMs: 0,
  lastInstanceId: null,
  revision: 1,
  attendedUntilMs: null,
};

type Overlap = ClaimedSchedule["overlap"];
type CatchUp = ClaimedSchedule["catchUp"];

/** `at`: minutes, also of the answer. */
function plan(
  at: { readonly next: number; readonly now: number; readonly attended?: number },
  overlap: Overlap,
  catchUp: CatchUp,
  lastHasEnded: boolean,
  startsMax = 100,
) {
  const attendedUntilMs = at.attended === undefined ? null : at.attended * minute;
  const schedule = { ...base, overlap, catchUp, nextFireMs: at.next * minute, attendedUntilMs };
  const moment = { nowMs: at.now * minute, lastHasEnded, graceMs: minute, startsMax };
  const { start, nextFireMs, lookAgainMs } = planFiring(schedule, minutes, moment);
  const next = nextFireMs === null ? null : nextFireMs / minute;
  return [start.map((ms) => ms / minute), next, lookAgainMs === undefined ? undefined : lookAgainMs > moment.nowMs];
}

describe("overlap and catch-up", () => {
  // Half a minute late: 10 is in time. Ten minutes and a half late: 10 to 19 were missed, 20 was not.
  const inTime = { next: 10, now: 10.5 };
  const late = { next: 10, now: 20.5 };
  const table: readonly [typeof inTime, Overlap, CatchUp, boolean, ReturnType<typeof plan>][] = [
    [inTime, "skip", "none", true, [[10], 11, undefined]],
    [inTime, "skip", "none", false, [[], 11, undefined]],
    [inTime, "queue", "none", true, [[10], 11, undefined]],
    [inTime, "queue", "none", false, [[], 10, true]],
    [inTime, "all", "none", false, [[10], 11, undefined]],
    [late, "skip", "none", true, [[20], 21, undefined]],
    [late, "skip", "last", true, [[19], 21, undefined]],
    [late, "skip", "all", true, [[10], 21, undefined]],
    [late, "skip", "all", false, [[], 21, undefined]],
    [late, "all", "none", true, [[20], 21, undefined]],
    [late, "all", "last", false, [[19, 20], 21, undefined]],
    [late, "all", "all", false, [[10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20], 21, undefined]],
    [late, "queue", "none", true, [[20], 21, undefined]],
    [late, "queue", "last", true, [[19], 20, true]],
    [late, "queue", "last", false, [[], 19, true]],
    [late, "queue", "all", true, [[10], 11, true]],
    [late, "queue", "all", false, [[], 10, true]],
  ];
  for (const [at, overlap, catchUp, ended, expected] of table) {
    const last = ended ? "has ended" : "still runs";
    test(`${overlap}, ${catchUp}, at ${at.now} for ${at.next}, the last one ${last}`, () => {
      assert.deepEqual(plan(at, overlap, catchUp, ended), expected);
    });
  }
});

test("what waits in the queue was not missed; after an outage its head counts, and what catch-up says", () => {
  assert.deepEqual(plan({ next: 10, now: 20.5, attended: 20 }, "queue", "none", true), [[10], 11, true]);
  assert.deepEqual(plan({ next: 10, now: 20.5, attended: 12 }, "queue", "none", true), [[10], 20, true]);
  assert.deepEqual(plan({ next: 10, now: 20.5, attended: 12 }, "queue", "last", true), [[10], 19, true]);
  assert.deepEqual(plan({ next: 10, now: 20.5, attended: 12 }, "queue", "all", false), [[], 10, true]);
});

test("a firing that was cut short is carried out, however late", () => {
  assert.deepEqual(plan({ next: 10, now: 500.5, attended: 10.2 }, "skip", "none", true), [[10], 501, undefined]);
  assert.deepEqual(plan({ next: 10, now: 500.5, attended: 10.2 }, "all", "none", true), [[10, 500], 501, undefined]);
});

test("of many to catch up at most so many at once; the next round goes on there", () => {
  assert.deepEqual(plan({ next: 10, now: 20.5 }, "all", "all", true, 4), [[10, 11, 12, 13], 14, undefined]);
});

test("not due, or never: nothing is done; no further time: never again", () => {
  assert.deepEqual(plan({ next: 10, now: 9 }, "all", "all", true), [[], 10, undefined]);
  const moment = { nowMs: 5, lastHasEnded: true, graceMs: minute, startsMax: 1 };
  assert.deepEqual(planFiring({ ...base, nextFireMs: null }, minutes, moment), { start: [], nextFireMs: null });
  const once: CronTimes = { next: (at) => (at < 5 ? 5 : undefined), last: () => undefined };
  const last = planFiring({ ...base, nextFireMs: 5 }, once, moment);
  assert.deepEqual(last, { start: [5], nextFireMs: null });
});

test("looks at a queue are seldom where it has waited for long, and always within the grace", () => {
  const look = (waitedMs: number) => {
    const schedule = { ...base, overlap: "queue" as const, catchUp: "all" as const };
    const moment = { nowMs: waitedMs, lastHasEnded: false, graceMs: limits.scheduleGraceMs, startsMax: 1 };
    return (planFiring(schedule, minutes, moment).lookAgainMs ?? 0) - waitedMs;
  };
  assert.deepEqual([look(0), look(100_000), look(86_400_000)], [1_000, 10_000, limits.scheduleLookMsMax]);
  assert.ok(limits.scheduleLookMsMax < limits.scheduleGraceMs);
});

const words = fc.tuple(fc.constantFrom("skip", "queue", "all"), fc.constantFrom("none", "last", "all"));

test("whatever comes when: each time is started once at most, in order, none in the future, and it always goes on", () => {
  const looks = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 40 * minute }), fc.boolean(), fc.integer({ min: 1, max: 5 })),
    {
      maxLength: 30,
    },
  );
  fc.assert(
    fc.property(words, looks, ([overlap, catchUp], steps) => {
      let schedule: ClaimedSchedule = {
        ...base,
        overlap: overlap as Overlap,
        catchUp: catchUp as CatchUp,
        nextFireMs: minute,
      };
      let nowMs = 0;
      const started: number[] = [];
      for (const [passedMs, lastHasEnded, startsMax] of steps) {
        nowMs += passedMs;
        if (nowMs < (schedule.nextFireMs ?? 0) || nowMs < (schedule.attendedUntilMs ?? 0)) continue;
        const firing = planFiring(schedule, minutes, { nowMs, lastHasEnded, graceMs: minute, startsMax });
        started.push(...firing.start);
        assert.ok(firing.nextFireMs !== null && firing.nextFireMs >= (schedule.nextFireMs ?? 0));
        assert.ok(firing.start.length <= (overlap === "all" ? startsMax : 1));
        if (overlap !== "all" && !lastHasEnded) assert.deepEqual(firing.start, []);
        if (firing.lookAgainMs === undefined && catchUp !== "all")
          assert.ok(firing.nextFireMs > nowMs || overlap === "all");
        schedule = { ...schedule, nextFireMs: firing.nextFireMs, attendedUntilMs: firing.lookAgainMs ?? null };
      }
      for (const [n, at] of started.entries()) {
        assert.ok(at % minute === 0 && at <= nowMs);
        if (n > 0) assert.ok(at > (started[n - 1] ?? 0));
      }
      if (catchUp === "all" && overlap === "all") {
        assert.deepEqual(
          started,
          started.map((_, n) => (n + 1) * minute),
          "without a gap",
        );
      }
    }),
  );
});
