import assert from "node:assert/strict";
import { test } from "node:test";
import { plannedEngine } from "./plans.test.helper.ts";

test("claims and timers look at leases first and then at what their workers hold, never at all instances of a workflow", async () => {
  using planned = await plannedEngine();
  const ofLeases = planned.taken().filter(({ sql }) => /^SELECT.*lease_until.*instances/s.test(sql));
  assert.ok(ofLeases.length >= 3);
  for (const { sql, plan } of ofLeases) {
    const [first = "", second = ""] = plan.split("\n");
    assert.match(first, /^(SEARCH|SCAN) workers USING COVERING INDEX workers_by_lease\b/, sql);
    assert.match(second, /^SEARCH instances .*INDEX instances_by_holder \(holder=\?\)/, sql);
  }
});

test("no statement that is made at the beginning walks the instances by their workflow", async () => {
  using planned = await plannedEngine();
  for (const { sql, plan } of planned.taken()) assert.doesNotMatch(plan, /instances_by_workflow/, sql);
});
