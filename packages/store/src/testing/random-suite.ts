import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openMemoryStore } from "../memory/index.ts";
import { answerNames } from "./answer-names.ts";
import { compareStores, describeDifference } from "./compare-stores.ts";
import { type CreateHarness, useStore } from "./harness.ts";
import { randomOperations } from "./random-operations.ts";

// More of it: RANDOM_SEED=1000 RANDOM_OPERATIONS=20000.
const firstSeed = Number(process.env.RANDOM_SEED ?? 1);
const count = Number(process.env.RANDOM_OPERATIONS ?? 400);

export function describeRandomOperations(createHarness: CreateHarness): void {
  describe("random operations", () => {
    const t = useStore(createHarness);

    for (const [seed, together] of [
      [firstSeed, 1],
      [firstSeed + 1, 8],
      [firstSeed + 2, 64],
    ] as const) {
      test(`answered as by the store in memory, also after opening again: seed ${seed}, ${together} at once`, async () => {
        const memory = openMemoryStore();
        const operations = randomOperations(seed);
        const names = answerNames(2);
        for (let half = 0; half < 2; half += 1) {
          const difference = await compareStores([memory, t.store], operations, { count: count / 2, together, names });
          assert.equal(difference, undefined, difference && describeDifference(difference));
          await t.reopen();
        }
        await memory.close();
      });
    }
  });
}
