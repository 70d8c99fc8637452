import assert from "node:assert/strict";
import { test } from "node:test";
import { StoreError } from "@runtara/store";
import fc from "fast-check";
import { limits } from "../limits.ts";
import { type NextRun, Recurring } from "./recurring.ts";
import { FakeClock } from "./testing/fake-clock.ts";

test("each wish is met by a run that begins after it and in time, none begins unasked, and no two overlap", async () => {
  const wish = fc.record({ afterMs: fc.nat(40), inMs: fc.integer({ min: -10, max: 60 }) });
  const run = fc.record({ takesMs: fc.nat(30), pauseMs: fc.nat(20) });
  await fc.assert(
    fc.asyncProperty(fc.array(wish, { maxLength: 12 }), fc.array(run, { minLength: 1 }), async (wishes, runs) => {
      const clock = new FakeClock();
      const began: number[] = [];
      let underWay = 0;
      const task = new Recurring({
        clock,
        run: () => {
          const { takesMs = 0, pauseMs = 0 } = runs[began.length % runs.length] ?? {};
          began.push(clock.now());
          underWay += 1;
          assert.equal(underWay, 1);
          return new Promise<NextRun>((resolve) => {
            clock.after(takesMs, () => {
              underWay -= 1;
              resolve({ pauseMs });
            });
          });
        },
      });
      const wished: { readonly nowMs: number; readonly atMs: number; readonly runsBefore: number }[] = [];
      for (const { afterMs, inMs } of wishes) {
        await clock.pass(afterMs);
        const nowMs = clock.now();
        wished.push({ nowMs, atMs: nowMs + inMs, runsBefore: began.length });
        task.at(nowMs + inMs);
      }
      await clock.pass(1_000);
      for (const { nowMs, atMs, runsBefore } of wished) {
        const latestMs = Math.max(nowMs, atMs) + 30 + 20;
        assert.ok(began.slice(runsBefore).some((beganMs) => beganMs <= latestMs));
      }
      for (const beganMs of began) assert.ok(wished.some(({ nowMs, atMs }) => nowMs <= beganMs && atMs <= beganMs));
      assert.ok(began.length <= wished.length);
      await task.stop();
      assert.equal(clock.pending, 0);
    }),
    { numRuns: 60 },
  );
});

test("a failed run is repeated by itself, later and later, and told each time", async () => {
  const clock = new FakeClock(0);
  const began: number[] = [];
  const told: string[] = [];
  let failing = 9;
  const task = new Recurring({
    clock,
    run: async () => {
      began.push(clock.now());
      failing -= 1;
      if (failing >= 0) throw new StoreError("UNAVAILABLE", "the database cannot be reached");
      return {};
    },
    onTrouble: (error) => told.push(error.code),
  });
  task.wake();
  await clock.pass(60_000);
  const gaps = began.slice(1).map((beganMs, index) => beganMs - (began[index] ?? 0));
  assert.deepEqual(gaps, [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  assert.deepEqual(told, Array(9).fill("UNAVAILABLE"));
  failing = 1;
  task.wake();
  await clock.pass(limits.troubleDelayMs);
  assert.equal(began.length, 12, "after a success the delays begin anew");
  assert.equal(clock.pending, 0);
});

test("a time of the wall clock is met when the clock is set, within one look", async () => {
  const clock = new FakeClock(1_000);
  const began: number[] = [];
  const run = async () => {
    began.push(clock.now());
    return {};
  };
  const task = new Recurring({ clock, run });
  task.at(100_000_000);
  clock.set(100_000_000);
  await clock.pass(limits.clockLookMs);
  assert.equal(began.length, 1);
  task.at(clock.now() + 10);
  clock.set(1_000);
  await clock.pass(1_000);
  assert.equal(began.length, 1, "it is not the time any more");
  clock.set(100_100_000);
  await clock.pass(limits.clockLookMs);
  assert.equal(began.length, 2);
});

test("stop waits for the run under way and begins no other", async () => {
  const clock = new FakeClock();
  let runs = 0;
  const run = () => {
    runs += 1;
    return new Promise<NextRun>((resolve) => {
      clock.after(10, () => resolve({ atMs: 0 }));
    });
  };
  const task = new Recurring({ clock, run });
  task.wake();
  let stopped = false;
  const stopping = task.stop().then(() => {
    stopped = true;
  });
  await clock.pass(9);
  assert.equal(stopped, false);
  await clock.pass(1);
  await stopping;
  task.wake();
  await clock.pass(1_000);
  assert.equal(runs, 1);
  assert.equal(clock.pending, 0);
});
