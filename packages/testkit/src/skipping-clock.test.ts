import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SkippingClock } from "./skipping-clock.ts";

test("time stands still until it jumps, and timers fire in the order of their due times", () => {
  const clock = new SkippingClock(1_000);
  const { now, after } = clock.face("workflow");
  const fired: string[] = [];
  after(30, () => fired.push(`c ${now()}`));
  after(10, () => fired.push(`a ${now()}`));
  after(10, () => fired.push(`b ${now()}`));
  assert.equal(clock.nextStopMs, 1_010);
  clock.jump(1_010);
  assert.deepEqual(fired, ["a 1010", "b 1010"]);
  clock.jump(1_005);
  assert.equal(clock.now(), 1_010, "it never goes back");
  clock.jump(2_000);
  assert.deepEqual(fired, ["a 1010", "b 1010", "c 2000"]);
  assert.equal(clock.nextStopMs, undefined);
});

test("housekeeping is no reason to stop and fires once behind a jump, however often it would have", () => {
  const clock = new SkippingClock(0);
  const face = clock.face("housekeeping");
  let looks = 0;
  const look = (): void => {
    looks += 1;
    face.after(30_000, look);
  };
  face.after(30_000, look);
  assert.equal(clock.nextStopMs, undefined);
  clock.jump(30 * 86_400_000);
  assert.equal(looks, 1);
  assert.equal(clock.isDue, false);
});

test("a timer that is taken back, or whose process is dead, neither fires nor stops the clock", () => {
  const clock = new SkippingClock(0);
  const [dead, living] = [clock.face("workflow"), clock.face("workflow")];
  const fired: string[] = [];
  const takeBack = living.after(5, () => fired.push("taken back"));
  dead.after(6, () => fired.push("dead"));
  living.after(7, () => fired.push("living"));
  takeBack();
  takeBack();
  dead.kill();
  assert.equal(clock.nextStopMs, 7);
  clock.jump(100);
  assert.deepEqual(fired, ["living"]);
});

test("a timer without a delay fires by itself, and one that sets itself again does not hold the loop", async () => {
  const clock = new SkippingClock(0);
  const face = clock.face("housekeeping");
  let count = 0;
  const again = (): void => {
    count += 1;
    if (count < 5) face.after(0, again);
  };
  face.after(0, again);
  assert.equal(count, 0, "never before `after` returns");
  while (clock.isDue) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(count, 5);
});

test("any timers fire once each, none early, in order", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ delay: fc.nat(50), kind: fc.constantFrom("workflow" as const, "housekeeping" as const) })),
      fc.array(fc.integer({ min: 1, max: 30 })),
      (timers, jumps) => {
        const clock = new SkippingClock(0);
        const faces = { workflow: clock.face("workflow"), housekeeping: clock.face("housekeeping") };
        const fired: { place: number; due: number }[] = [];
        for (const [place, { delay, kind }] of timers.entries()) {
          faces[kind].after(delay, () => {
            assert.ok(clock.now() >= delay);
            fired.push({ place, due: delay });
          });
        }
        for (const jump of [...jumps, 60]) clock.jump(clock.now() + jump);
        const expected = timers
          .map(({ delay }, place) => ({ place, due: delay }))
          .sort((a, b) => a.due - b.due || a.place - b.place);
        assert.deepEqual(fired, expected);
      },
    ),
    { seed: 7 },
  );
});
