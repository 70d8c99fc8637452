import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ControlInstance } from "../operations/index.ts";
import { decideControlInstance } from "./control-instance.ts";
import { bytes, ended, row, running, suspended } from "./rows.test.helper.ts";

function control(order: ControlInstance["order"], over: Partial<ControlInstance> = {}): ControlInstance {
  return { kind: "controlInstance", instanceId: "i", order, nowMs: 3_000, ...over };
}

describe("decideControlInstance", () => {
  it("kills what has not ended: fenced, cancelled, with the operator's words, and its worker is told", () => {
    for (const before of [
      row(),
      running({ holder: "w", claimSequence: 1 }),
      suspended("waiting", { waitingFor: ["a"] }),
    ]) {
      const { changes, result } = decideControlInstance(control("kill", { text: "stuck" }), before);
      assert.deepEqual(result, { outcome: "done", status: "cancelled", unsettled: false });
      const after = changes?.row;
      assert.deepEqual([after?.reason, after?.reasonText, after?.epoch], ["killed", "stuck", before.epoch + 1]);
      assert.deepEqual([after?.holder, after?.readyAtMs, after?.waitingFor], [null, null, []]);
      assert.deepEqual(
        changes?.events?.map(({ type, subtype, payload }) => [type, subtype, payload]),
        [["custom", "cancelled", bytes("stuck")]],
      );
      assert.equal(changes?.lostBy, before.holder ?? undefined);
      assert.ok(changes?.notices?.includes("signal"));
    }
  });

  it("kills in spite of a pending cancel", () => {
    const { changes } = decideControlInstance(control("kill"), running({ pendingSignal: "cancel" }));
    assert.deepEqual([changes?.row?.reason, changes?.row?.reasonText], ["killed", null]);
  });

  it("cancels as a signal does, with the words as payload", () => {
    const asked = decideControlInstance(control("cancel", { text: "why" }), running());
    assert.deepEqual(asked.changes?.pending, { type: "cancel", payload: bytes("why") });
    assert.deepEqual(decideControlInstance(control("cancel"), running()).changes?.pending, {
      type: "cancel",
      payload: null,
    });
    const over = decideControlInstance(control("cancel", { text: "why" }), row());
    assert.deepEqual(
      [over.changes?.row?.reasonText, over.result],
      ["why", { outcome: "done", status: "cancelled", unsettled: false }],
    );
  });

  it("is done already where an order has been carried out, and where a cancel is pending", () => {
    const done = (order: ControlInstance["order"], before: Parameters<typeof decideControlInstance>[1]) => {
      const { changes, result } = decideControlInstance(control(order), before);
      assert.equal(result.outcome, "done");
      return changes;
    };
    assert.equal(done("pause", suspended("paused")), undefined);
    assert.equal(done("resume", row()), undefined);
    for (const order of ["cancel", "pause", "resume"] as const) {
      assert.equal(done(order, running({ pendingSignal: "cancel" })), undefined);
    }
  });

  it("I4: is done without effect on what has ended", () => {
    for (const order of ["cancel", "kill", "pause", "resume"] as const) {
      assert.deepEqual(decideControlInstance(control(order, { text: "x" }), ended({ unsettled: true })), {
        result: { outcome: "done", status: "completed", unsettled: true },
        changes: undefined,
      });
    }
  });

  it("I9: does not know another tenant's", () => {
    assert.deepEqual(decideControlInstance(control("kill", { tenantId: "u" }), running()), {
      result: { outcome: "unknownInstance" },
      changes: undefined,
    });
  });
});
