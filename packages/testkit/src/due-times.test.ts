import assert from "node:assert/strict";
import { test } from "node:test";
import { storeLimits } from "@runtara/store";
import { DueTimes } from "./due-times.ts";

test("due times come out in order, those that are past are forgotten", () => {
  const due = new DueTimes();
  due.observe(
    {
      kind: "suspendUntil",
      instanceId: "i",
      epoch: 1,
      untilMs: 500,
      names: [],
      afterSignalId: 0,
      bytesMax: 1,
      nowMs: 0,
    },
    { outcome: "suspended" },
  );
  due.observe(
    { kind: "recordRetry", instanceId: "i", checkpointId: "a", attempt: 2, nextAtMs: 300, nowMs: 0 },
    { outcome: "recorded" },
  );
  due.notice({ topic: "due", atMs: 400 });
  assert.deepEqual([due.next(0), due.next(300), due.next(450), due.next(500)], [300, 400, 500, undefined]);
});

test("the end of a lease is no reason to stop", () => {
  const due = new DueTimes();
  const claim = {
    kind: "claimWork",
    workerId: "w",
    tenantId: "t",
    offers: [],
    capacity: 1,
    received: 0,
    leaseMs: 1_000,
    runningMax: 0,
    bytesMax: 1,
    nowMs: 0,
  } as const;
  due.observe(claim, { outcome: "claimed", sequence: 1, work: [], leaseUntilMs: 1_000 });
  due.notice({ topic: "work", tenantId: "t", workflow: "w", readyAtMs: 1_000 });
  due.notice({ topic: "due", atMs: 1_000 + storeLimits.leaseGraceMs });
  assert.equal(due.next(0), undefined);
});
