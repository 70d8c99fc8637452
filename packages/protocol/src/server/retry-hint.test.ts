import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { limits } from "../limits.ts";
import { seed } from "../testing/messages.ts";
import { RetryHint } from "./retry-hint.ts";

test("the hint grows with the refusals of late, and forgets them", () => {
  const hint = new RetryHint();
  const first = hint.next(0, 1);
  let busy = 0;
  for (let i = 0; i < 1_000; i++) busy = hint.next(i / 10, 1);
  assert.ok(busy > 5 * first, `${busy} after 1,000 refusals, ${first} after one`);
  assert.equal(hint.next(60_000, 1), first);
});

test("it is bounded and jittered by half, whatever comes", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5_000), fc.double({ min: 0, max: 0.999, noNaN: true }))), (refusals) => {
      const hint = new RetryHint();
      let nowMs = 0;
      for (const [passedMs, random] of refusals) {
        nowMs += passedMs;
        const hintMs = hint.next(nowMs, random);
        assert.ok(hintMs >= limits.retryAfterMsMin / 2 && hintMs <= limits.retryAfterMsMax, `${hintMs}`);
      }
    }),
    { seed },
  );
  const flooded = new RetryHint();
  for (let i = 0; i < 100_000; i++) flooded.next(0, 0.5);
  assert.equal(flooded.next(0, 1), limits.retryAfterMsMax);
  assert.equal(flooded.next(0, 0), limits.retryAfterMsMax / 2);
});
