import assert from "node:assert/strict";
import { test } from "node:test";
import { median, ratio, sum } from "./statistics.ts";

test("median takes the middle, or the mean of the two in the middle", () => {
  assert.equal(median([]), 0);
  assert.equal(median([7]), 7);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([10, 1, 4, 2]), 3);
});

test("median leaves its argument as it is", () => {
  const values = [3, 1, 2];
  median(values);
  assert.deepEqual(values, [3, 1, 2]);
});

test("sum and ratio", () => {
  assert.equal(sum([1, 2, 3]), 6);
  assert.equal(sum([]), 0);
  assert.equal(ratio(6, 3), 2);
  assert.equal(ratio(6, 0), undefined);
});
