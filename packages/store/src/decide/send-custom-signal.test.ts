import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { limits } from "../limits.ts";
import type { SendCustomSignal } from "../operations/index.ts";
import { bytes, ended, running, suspended } from "./rows.test.helper.ts";
import { decideSendCustomSignal } from "./send-custom-signal.ts";

const fresh = { signalId: 9, duplicateOf: undefined };

function send(over: Partial<SendCustomSignal> = {}): SendCustomSignal {
  return {
    kind: "sendCustomSignal",
    instanceId: "i",
    name: "a",
    payload: bytes("p"),
    queued: true,
    nowMs: 3_000,
    ...over,
  };
}

describe("decideSendCustomSignal", () => {
  it("appends to the queue", () => {
    const { changes, result } = decideSendCustomSignal(send({ messageId: "m" }), running({ queuedSignals: 2 }), fresh);
    assert.deepEqual(result, { outcome: "sent", signalId: 9 });
    assert.deepEqual(changes?.queuePut, { signalId: 9, name: "a", messageId: "m", payload: bytes("p") });
    assert.equal(changes?.row?.queuedSignals, 3);
    assert.deepEqual(changes?.notices, ["signal", "history"]);
  });

  it("puts into the slot in any status, counting nothing", () => {
    for (const before of [running(), ended()]) {
      const { payload: _, ...operation } = send({ queued: false });
      const { changes, result } = decideSendCustomSignal(operation, before, fresh);
      assert.deepEqual(result, { outcome: "sent", signalId: 9 });
      assert.deepEqual(changes?.slotPut, { signalId: 9, name: "a", payload: null });
      assert.deepEqual([changes?.row, changes?.queuePut], [undefined, undefined]);
    }
  });

  it("wakes an instance that waits for this name, and no other", () => {
    for (const queued of [true, false]) {
      const readyAt = (before: Parameters<typeof decideSendCustomSignal>[1]) =>
        decideSendCustomSignal(send({ queued }), before, fresh).changes?.row?.readyAtMs ?? null;
      assert.equal(readyAt(suspended("waiting", { waitingFor: ["b", "a"] })), 3_000);
      assert.equal(readyAt(suspended("waiting", { waitingFor: ["a"], readyAtMs: 9_000 })), 3_000);
      assert.equal(readyAt(suspended("waiting", { waitingFor: ["b"] })), null);
      assert.equal(readyAt(suspended("paused")), null);
    }
  });

  it("keeps the place of one that is ready already", () => {
    const before = suspended("waiting", { waitingFor: ["a"], readyAtMs: 2_500 });
    assert.equal(decideSendCustomSignal(send(), before, fresh).changes?.row?.readyAtMs, 2_500);
  });

  it("knows a message id again, also after the end", () => {
    for (const before of [running(), ended()]) {
      assert.deepEqual(decideSendCustomSignal(send({ messageId: "m" }), before, { signalId: 9, duplicateOf: 4 }), {
        result: { outcome: "duplicate", signalId: 4 },
        changes: undefined,
      });
    }
  });

  it("refuses to queue for what has ended, and does not know another tenant's", () => {
    assert.deepEqual(decideSendCustomSignal(send(), ended(), fresh), {
      result: { outcome: "refused", status: "completed" },
      changes: undefined,
    });
    assert.deepEqual(decideSendCustomSignal(send({ tenantId: "u" }), running(), fresh).result, {
      outcome: "unknownInstance",
    });
  });

  it("bounds the queue, not the slots", () => {
    const full = running({ queuedSignals: limits.signalQueueMax });
    assert.throws(() => decideSendCustomSignal(send(), full, fresh), { name: "StoreError", code: "OVERLOADED" });
    assert.equal(decideSendCustomSignal(send({ queued: false }), full, fresh).result.outcome, "sent");
  });
});
