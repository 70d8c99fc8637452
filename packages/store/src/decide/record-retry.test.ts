import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RecordRetry } from "../operations/index.ts";
import { decideRecordRetry } from "./record-retry.ts";
import { ended, row, running, suspended } from "./rows.test.helper.ts";

const open = { checkpointExists: false };

function retry(over: Partial<RecordRetry> = {}): RecordRetry {
  return { kind: "recordRetry", instanceId: "i", checkpointId: "c", attempt: -2, nowMs: 3_000, ...over };
}

describe("decideRecordRetry", () => {
  it("keeps a record in any status", () => {
    for (const before of [row(), running(), suspended("paused"), ended()]) {
      const { changes, result } = decideRecordRetry(retry({ error: "e", nextAtMs: 4_000 }), before, open);
      assert.deepEqual(result, { outcome: "recorded" });
      assert.deepEqual(changes, {
        atMs: 3_000,
        retry: { checkpointId: "c", attempt: -2, error: "e", nextAtMs: 4_000 },
        notices: ["history"],
      });
    }
    assert.deepEqual(decideRecordRetry(retry(), running(), open).changes?.retry, {
      checkpointId: "c",
      attempt: -2,
      error: null,
      nextAtMs: null,
    });
  });

  it("wakes one that suspended itself for its time, if the attempt is awaited and comes first", () => {
    const readyAt = (over: Partial<RecordRetry>, before: Parameters<typeof decideRecordRetry>[1], facts = open) =>
      decideRecordRetry(retry(over), before, facts).changes?.row?.readyAtMs;
    assert.equal(readyAt({ nextAtMs: 4_000 }, suspended("sleeping", { readyAtMs: 9_000 })), 4_000);
    assert.equal(readyAt({ nextAtMs: 4_000 }, suspended("waiting")), 4_000);
    assert.equal(readyAt({ nextAtMs: 9_999 }, suspended("sleeping", { readyAtMs: 9_000 })), undefined);
    assert.equal(readyAt({ nextAtMs: 3_000 }, suspended("waiting")), undefined);
    assert.equal(readyAt({ nextAtMs: 4_000 }, suspended("waiting"), { checkpointExists: true }), undefined);
    assert.equal(readyAt({}, suspended("waiting")), undefined);
  });

  it("I5: refuses an unknown instance and an old epoch", () => {
    assert.deepEqual(decideRecordRetry(retry(), undefined, open), {
      result: { outcome: "unknownInstance" },
      changes: undefined,
    });
    assert.deepEqual(decideRecordRetry(retry({ epoch: 2 }), running(), open), {
      result: { outcome: "fenced", epoch: 3 },
      changes: undefined,
    });
  });
});
