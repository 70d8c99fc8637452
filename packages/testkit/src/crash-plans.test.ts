import assert from "node:assert/strict";
import { test } from "node:test";
import { pairs, singles } from "./crash-plans.ts";
import { limits } from "./limits.ts";
import { randomOf } from "./random.ts";

test("one crash before and one after each commit", () => {
  assert.deepEqual(singles(2), [
    [{ at: 1, when: "before" }],
    [{ at: 1, when: "after" }],
    [{ at: 2, when: "before" }],
    [{ at: 2, when: "after" }],
  ]);
  assert.deepEqual(singles(0), []);
});

test("pairs: each place with the first commit of the next life, on both sides, and some by chance; none twice", () => {
  const plans = pairs(50, randomOf(1));
  const texts = plans.map((plan) => JSON.stringify(plan));
  assert.equal(new Set(texts).size, texts.length);
  for (let at = 1; at <= 50; at++) {
    for (const when of ["before", "after"] as const) {
      for (const next of ["before", "after"] as const) {
        assert.ok(
          texts.includes(
            JSON.stringify([
              { at, when },
              { at: 1, when: next },
            ]),
          ),
        );
      }
    }
  }
  assert.ok(plans.length > 200 + limits.pairs / 2 && plans.length <= 200 + limits.pairs);
  assert.deepEqual(plans, pairs(50, randomOf(1)));
  assert.notDeepEqual(plans, pairs(50, randomOf(2)));
  assert.deepEqual(pairs(0, randomOf(1)), []);
});
