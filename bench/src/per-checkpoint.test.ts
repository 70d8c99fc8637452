import assert from "node:assert/strict";
import { test } from "node:test";
import { perCheckpoint } from "./per-checkpoint.ts";

test("what a run has once is not counted", async () => {
  const runs: number[] = [];
  const cost = await perCheckpoint(5_000, async (checkpoints) => {
    runs.push(checkpoints);
    return { statements: 768 + checkpoints * 2, transactions: 256 + checkpoints / 50 };
  });
  assert.deepEqual(cost, { statements: 2, transactions: 0.02 });
  assert.deepEqual(runs, [1_000, 1_000, 6_000]);
});
