import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RemoveOld } from "../operations/index.ts";
import { removable } from "./removable.ts";
import { ended, row, running, suspended } from "./rows.test.helper.ts";

const operation: RemoveOld = { kind: "removeOld", instancesEndedBeforeMs: 3_001, limit: 10, nowMs: 9_000 };
const alone = { hasOpenChild: false };

describe("removable", () => {
  it("lets an ended instance go once it is old enough, and its rows before that", () => {
    assert.deepEqual(removable(operation, ended(), alone), { rows: true, instance: true });
    assert.deepEqual(removable({ ...operation, instancesEndedBeforeMs: 3_000 }, ended(), alone), {
      rows: true,
      instance: false,
    });
    const { instancesEndedBeforeMs: _, ...without } = operation;
    assert.deepEqual(removable(without, ended(), alone), { rows: true, instance: false });
    assert.equal(removable(operation, ended({ finishedAtMs: null }), alone).instance, true);
  });

  it("keeps what has not ended, has effects to come, or has children that have not ended", () => {
    const kept = { rows: false, instance: false };
    for (const before of [row(), running({ finishedAtMs: 1 }), suspended(null), ended({ unsettled: true })]) {
      assert.deepEqual(removable(operation, before, alone), kept);
    }
    assert.deepEqual(removable(operation, ended(), { hasOpenChild: true }), kept);
  });
});
