import assert from "node:assert/strict";
import { test } from "node:test";
import type { Notice } from "../store.ts";
import { merged, Subscribers } from "./subscribers.ts";

test("notices of one flush are merged by subject: the earliest time, ended if any says so", () => {
  const notices: Notice[] = [
    { topic: "work", tenantId: "t", workflow: "w", readyAtMs: 20 },
    { topic: "signal", instanceId: "i" },
    { topic: "instance", instanceId: "i", ended: true },
    { topic: "work", tenantId: "t", workflow: "w", readyAtMs: 10 },
    { topic: "work", tenantId: "t", workflow: "other", readyAtMs: 5 },
    { topic: "instance", instanceId: "i", ended: false },
    { topic: "instance", instanceId: "j", ended: false },
    { topic: "due", atMs: 9 },
    { topic: "due", atMs: 8 },
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

test("every listener is told, and one that stops while it is told hears no more", () => {
  const subscribers = new Subscribers();
  const heard: string[] = [];
  const stopFirst = subscribers.watch(() => {
    heard.push("first");
    stopFirst();
  });
  subscribers.watch(() => heard.push("second"));
  const notice: Notice = { topic: "signal", instanceId: "i" };
  subscribers.tell([notice]);
  subscribers.tell([notice]);
  assert.deepEqual(heard, ["first", "second", "second"]);
});
