import assert from "node:assert/strict";
import { test } from "node:test";
import { taskNow } from "./task-clock.ts";

test("one reading per batch, another one afterwards, never behind the clock", async () => {
  const beforeMs = performance.now();
  const first = taskNow();
  assert.ok(first >= beforeMs);
  while (performance.now() === first);
  assert.equal(taskNow(), first);
  await Promise.resolve();
  assert.ok(taskNow() > first);
});
