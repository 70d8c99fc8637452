import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SimulatedClock } from "../testing/simulated-clock.ts";
import { Timers } from "./timers.ts";

test("timers fire in the order of their times and then of their calls, those taken back never, at any number of them", () => {
  const call = fc.record({ ms: fc.integer({ min: 0, max: 50 }), isTakenBack: fc.boolean() });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 300 }), (calls) => {
      const clock = new SimulatedClock();
      const timers = new Timers(clock);
      const begin = clock.now();
      const fired: string[] = [];
      const disarm = calls.map(({ ms }, index) => timers.set(begin + ms, () => void fired.push(`${ms} ${index}`)));
      for (const [index, { isTakenBack }] of calls.entries()) if (isTakenBack) disarm[index]?.();
      const left = calls.flatMap(({ ms, isTakenBack }, index) => (isTakenBack ? [] : [{ ms, index }]));
      left.sort((a, b) => a.ms - b.ms || a.index - b.index);
      assert.equal(timers.nextDueAt, left[0] && begin + left[0].ms);
      while (clock.step()) {}
      assert.deepEqual(
        fired,
        left.map(({ ms, index }) => `${ms} ${index}`),
      );
      for (const again of disarm) again();
      assert.equal(timers.nextDueAt, undefined);
    }),
  );
});
