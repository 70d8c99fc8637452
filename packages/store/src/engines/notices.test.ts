import assert from "node:assert/strict";
import { test } from "node:test";
import type { Notice } from "../store.ts";
import { merged } from "./notices.ts";

test("notices are merged by subject: the earliest time, ended if any says so", () => {
  const notices: Notice[] = [
    { topic: "work", tenantId: "t", workflow: "w", readyAtMs: 20 },
    { topic: "signal", instanceId: "i" },
    { topic: "instance", instanceId: "i", ended: true },
    { topic: "work", tenantId: "t", workflow: "w", readyAtMs: 10 },
    { topic: "work", tenantId: "t", workflow: "other", readyAtMs: 5 },
    { topic: "instance", instanceId: "i", ended: false },
    { topic: "instance", instanceId: "j", ended: false },
    { topic: "due", atMs: 8 },
    { topic: "due", atMs: 9 },
    { topic: "signal", instanceId: "i" },
  ];
  assert.deepEqual(merged(notices), [
    { topic: "work", tenantId: "t", workflow: "w", readyAtMs: 10 },
    { topic: "signal", instanceId: "i" },
    { topic: "instance", instanceId: "i", ended: true },
    { topic: "work", tenantId: "t", workflow: "other", readyAtMs: 5 },
    { topic: "instance", instanceId: "j", ended: false },
    { topic: "due", atMs: 8 },
  ]);
});
