import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { InstanceRow } from "./row.ts";
import { differs, showsDifferently } from "./row-difference.ts";
import { running } from "./rows.test.helper.ts";

/** Set when the instance is created, never written again. */
const fixed: readonly string[] = [
  "instanceId",
  "tenantId",
  "workflow",
  "version",
  "createdAtMs",
  "timeoutMs",
  "parentId",
  "resultSignal",
  "detached",
] satisfies (keyof InstanceRow)[];

/** What InstanceDetails has of the rest. */
const shown: readonly string[] = [
  "status",
  "reason",
  "reasonText",
  "exitCode",
  "firstStartedAtMs",
  "startedAtMs",
  "finishedAtMs",
  "readyAtMs",
  "waitingFor",
  "run",
  "holder",
] satisfies (keyof InstanceRow)[];

describe("row difference", () => {
  it("sees a change of every column that a decision may change, so that none goes unwritten", () => {
    const before = running();
    for (const column of Object.keys(before)) {
      const after = { ...before, [column]: column === "waitingFor" ? ["a"] : Symbol("other") };
      assert.equal(differs(before, after), !fixed.includes(column), column);
      assert.equal(showsDifferently(before, after), shown.includes(column), column);
    }
  });

  it("compares names, not lists", () => {
    const before = running({ waitingFor: ["a", "b"] });
    assert.equal(differs(before, running({ waitingFor: ["a", "b"] })), false);
    assert.equal(differs(before, running({ waitingFor: ["a", "c"] })), true);
    assert.equal(differs(before, running({ waitingFor: ["a"] })), true);
  });
});
