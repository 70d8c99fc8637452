import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { seed } from "../testing/messages.ts";
import { FaultThrottle } from "./fault-throttle.ts";
import { FaultReporter, type ServerFault } from "./faults.ts";

test("the first of a kind at once, the others at the end of the interval, with their number and the latest of them", () => {
  const throttle = new FaultThrottle<string>(1_000);
  assert.equal(throttle.take("overloaded", "first", 0), 1);
  assert.equal(throttle.take("overloaded", "second", 10), 0);
  assert.equal(throttle.take("overloaded", "third", 999), 0);
  assert.equal(throttle.take("badRequest", "other", 10), 1);
  assert.equal(throttle.nextDueMs(), 1_000);
  assert.deepEqual(throttle.due(999), []);
  assert.deepEqual(throttle.due(1_000), [{ event: "third", count: 2 }]);
  assert.equal(throttle.nextDueMs(), undefined);
  // The report at 1,000 began another interval.
  assert.equal(throttle.take("overloaded", "fourth", 1_500), 0);
  assert.equal(throttle.take("overloaded", "fifth", 2_000), 2);
});

test("interval 0 lets everything through", () => {
  const throttle = new FaultThrottle<number>(0);
  for (let i = 0; i < 5; i++) assert.equal(throttle.take("kind", i, 7), 1);
});

test("no event is lost or counted twice, and a kind is reported at most once per interval", () => {
  const event = fc.record({ kind: fc.constantFrom("a", "b"), passedMs: fc.nat(400), isLooking: fc.boolean() });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      const throttle = new FaultThrottle<string>(1_000);
      const reportedAtMs: Record<string, number[]> = { a: [], b: [] };
      let reported = 0;
      let nowMs = 0;
      const note = (kind: string, count: number): void => {
        reported += count;
        if (count > 0) reportedAtMs[kind]?.push(nowMs);
      };
      for (const { kind, passedMs, isLooking } of events) {
        nowMs += passedMs;
        if (isLooking) for (const due of throttle.due(nowMs)) note(due.event, due.count);
        note(kind, throttle.take(kind, kind, nowMs));
      }
      for (const times of Object.values(reportedAtMs)) {
        times.slice(1).forEach((atMs, i) => {
          assert.ok(atMs - (times[i] ?? 0) >= 1_000);
        });
      }
      for (const { count } of throttle.due(Number.POSITIVE_INFINITY)) reported += count;
      assert.equal(reported, events.length);
    }),
    { seed },
  );
});

test("a flood of faults becomes two reports a second and one at the end; failed handlers are told apart", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let nowMs = 0;
  t.mock.method(performance, "now", () => nowMs);
  const pass = (ms: number): void => {
    nowMs += ms;
    t.mock.timers.tick(ms);
  };
  const reports: ServerFault[] = [];
  const reporter = new FaultReporter((fault) => reports.push(fault), 1_000);
  const fault = { message: "m", remoteAddress: "r" };
  for (let i = 0; i < 1_000; i++) reporter.report({ kind: "overloaded", ...fault });
  for (const operation of ["sleep", "checkpoint"]) reporter.report({ kind: "handlerFailed", operation, ...fault });
  assert.deepEqual(
    reports.map(({ kind, count }) => [kind, count]),
    [
      ["overloaded", 1],
      ["handlerFailed", 1],
      ["handlerFailed", 1],
    ],
  );
  pass(999);
  assert.equal(reports.length, 3);
  pass(1);
  assert.deepEqual([reports[3]?.kind, reports[3]?.count], ["overloaded", 999]);
  pass(5_000);
  assert.equal(reports.length, 4);
  for (let i = 0; i < 3; i++) reporter.report({ kind: "overloaded", ...fault });
  reporter.close();
  assert.deepEqual(
    reports.slice(4).map(({ count }) => count),
    [1, 2],
  );
  assert.deepEqual(
    [reporter.counts.overloaded, reporter.counts.handlerFailed, reporter.counts.draining],
    [1_003, 2, 0],
  );
});
