import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planKills } from "./plan.ts";

test("every seed plans three workflow kills and one core kill, in the order of progress, before the work is done", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 200, max: 5000 }), (seed, batches) => {
      const kills = planKills(seed, batches);
      assert.equal(kills.filter(({ target }) => target === "workflow").length, 3);
      assert.equal(kills.filter(({ target }) => target === "core").length, 1);
      const moments = kills.map(({ afterBatches }) => afterBatches);
      assert.deepEqual(
        moments,
        moments.toSorted((a, b) => a - b),
      );
      assert.ok((moments.at(-1) ?? 0) <= batches * 0.75);
      assert.deepEqual(planKills(seed, batches), kills);
    }),
  );
});
