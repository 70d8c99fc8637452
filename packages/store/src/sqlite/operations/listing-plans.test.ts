import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueryInstances } from "@runtara/store";
import { plannedEngine } from "../plans.test.helper.ts";

/** Instances of one millisecond are put in order, never all of them. */
const sorted = /SCAN instances|TEMP B-TREE FOR ORDER BY/;

test("every page of all instances comes from an index in its order, with filters and without", async () => {
  using planned = await plannedEngine();
  const pages = planned
    .taken()
    .filter(({ sql }) => sql.includes("FROM instances") && sql.includes("ORDER BY created_at DESC"));
  assert.equal(pages.length, 4);
  for (const { plan } of pages) {
    assert.match(plan, /SEARCH instances USING INDEX instances_by_(tenant|status) \(\w+=\? AND created_at<\?\)/);
    assert.doesNotMatch(plan, sorted);
  }
});

const byTenant = "instances_by_tenant (tenant_id=? AND created_at>? AND created_at<?)";
const byStatus = "instances_by_status (status=? AND created_at>? AND created_at<?)";
const byWorkflow = "instances_by_workflow (tenant_id=? AND workflow=? AND created_at>? AND created_at<?)";

const filters: readonly [name: string, filter: Partial<QueryInstances>, index: string][] = [
  ["no filter", {}, byTenant],
  ["a time range", { createdAfterMs: 1, createdBeforeMs: 9 }, byTenant],
  ["tags", { tags: { a: "b" } }, byTenant],
  ["a status", { statuses: ["failed"] }, byStatus],
  ["statuses", { statuses: ["failed", "running"], createdAfterMs: 1 }, byStatus],
  ["what most of all tenants is", { statuses: ["completed", "running"], createdAfterMs: 1 }, byTenant],
  ["a workflow", { workflow: "w" }, byWorkflow],
  ["a workflow, a time range and tags", { workflow: "w", createdBeforeMs: 9, tags: { a: "b" } }, byWorkflow],
  ["a workflow and what most of it is", { workflow: "w", statuses: ["completed", "failed"] }, byWorkflow],
  ["a workflow and a status that few have", { workflow: "w", statuses: ["failed"] }, byStatus],
];

for (const [name, filter, index] of filters) {
  test(`a query with ${name} is led by ${index}`, async () => {
    using planned = await plannedEngine();
    planned.taken();
    const query = { kind: "queryInstances", tenantId: "t", statuses: [], tags: {}, limit: 10, ...filter } as const;
    const [outcome] = planned.engine.run([query]);
    assert.ok(outcome?.result !== undefined);
    const [page, ...others] = planned.taken();
    assert.deepEqual(others, []);
    const searches = page?.plan.split("\n").filter((line) => line.includes(" instances "));
    assert.ok(searches !== undefined && searches.length > 0);
    for (const search of searches) assert.equal(search, `SEARCH instances USING INDEX ${index}`);
    assert.doesNotMatch(page?.plan ?? "", sorted);
  });
}

test("a page of all events of an instance sorts entries of the index, and reads no event but its own", async () => {
  using planned = await plannedEngine();
  const pages = planned.taken().filter(({ sql }) => /^SELECT.* FROM instance_events WHERE id IN/.test(sql));
  assert.equal(pages.length, 2);
  assert.match(pages[0]?.plan ?? "", /SEARCH instance_events USING COVERING INDEX instance_events_in_order/);
});
