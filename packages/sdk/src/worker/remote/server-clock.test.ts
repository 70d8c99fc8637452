import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../limits.ts";
import { ServerClock } from "./server-clock.ts";

/** A machine whose clock is an hour fast, and time that passes by hand. */
function machine(): { clock: ServerClock; pass(ms: number): void; serverMs(): number } {
  let elapsedMs = 0;
  const hour = 3_600_000;
  const startMs = 1_763_760_000_000;
  const clock = new ServerClock(
    () => startMs + hour + elapsedMs,
    () => elapsedMs,
  );
  return {
    clock,
    pass: (ms) => {
      elapsedMs += ms;
    },
    serverMs: () => startMs + elapsedMs,
  };
}

test("the core's time is believed, to half the way of the answer; the quickest answer counts, until it is old", () => {
  const { clock, pass, serverMs } = machine();
  const measure = (thereMs: number, backMs: number): void => {
    const sentAtMs = clock.elapsedMs;
    pass(thereMs);
    const told = serverMs();
    pass(backMs);
    clock.heard(told, sentAtMs);
  };
  measure(2, 4);
  assert.equal(clock.now() - serverMs(), 0 - 1);
  measure(400, 0);
  assert.equal(clock.now() - serverMs(), -1, "a slow answer tells less");
  measure(1, 1);
  assert.equal(clock.now() - serverMs(), 0);
  pass(limits.clockBelievedMs);
  measure(0, 20);
  assert.equal(Math.abs(clock.now() - serverMs()), 10, "clocks drift: after a while a new answer is believed");
});

test("it never runs backwards", () => {
  const { clock, pass, serverMs } = machine();
  const before = clock.now();
  clock.heard(serverMs(), clock.elapsedMs);
  assert.equal(clock.now(), before, "it stands still until the core's time has come up");
  pass(3_600_000 + 5);
  assert.equal(clock.now(), before + 5);
});
