import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { limits } from "../limits.ts";
import type { Changes, NoticeKind } from "./changes.ts";
import { noticesOf } from "./notices.ts";
import { running, suspended, unclaimable } from "./rows.test.helper.ts";

function notices(kind: NoticeKind, changes: Omit<Changes, "atMs"> = {}): readonly unknown[] {
  return noticesOf({ atMs: 5_000, ...changes, notices: [kind] }, "i");
}

describe("noticesOf", () => {
  it("tells of work that has a name and a time", () => {
    const work = { topic: "work", tenantId: "t", workflow: "order", readyAtMs: 9_000 };
    assert.deepEqual(notices("work", { row: suspended("sleeping", { readyAtMs: 9_000 }) }), [work]);
    const grace = { topic: "due", atMs: 9_000 + limits.leaseGraceMs };
    assert.deepEqual(notices("lease", { row: running(), leaseUntilMs: 9_000 }), [work, grace]);
    assert.deepEqual(notices("work", { row: suspended("sleeping", { readyAtMs: 9_000, ...unclaimable }) }), []);
    assert.deepEqual(notices("work", { row: suspended("waiting") }), []);
    assert.deepEqual(notices("work"), []);
  });

  it("tells of due times, of open effects at once", () => {
    assert.deepEqual(notices("due", { row: running({ dueAtMs: 9_000 }) }), [{ topic: "due", atMs: 9_000 }]);
    assert.deepEqual(notices("due", { row: running({ unsettled: true }) }), [{ topic: "due", atMs: 5_000 }]);
    assert.deepEqual(notices("due", { row: running() }), []);
  });

  it("names the instance, also where its row was not written", () => {
    assert.deepEqual(notices("signal"), [{ topic: "signal", instanceId: "i" }]);
    assert.deepEqual(notices("status"), [{ topic: "instance", instanceId: "i", ended: false }]);
    assert.deepEqual(notices("history"), [{ topic: "instance", instanceId: "i", ended: false }]);
    assert.deepEqual(notices("ended"), [{ topic: "instance", instanceId: "i", ended: true }]);
    assert.deepEqual(noticesOf({ atMs: 1 }, "i"), []);
  });
});
