import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SendSignal } from "../operations/index.ts";
import { bytes, ended, row, running, suspended, unclaimable } from "./rows.test.helper.ts";
import { decideSendSignal } from "./send-signal.ts";

function send(signal: SendSignal["signal"], over: Partial<SendSignal> = {}): SendSignal {
  return { kind: "sendSignal", instanceId: "i", signal, payload: bytes("p"), nowMs: 3_000, ...over };
}

describe("decideSendSignal", () => {
  it("leaves a signal to a running instance for it to acknowledge", () => {
    const before = running({ pendingSignal: "pause", recordedSignal: "pause", pauseAcknowledged: true });
    for (const signal of ["cancel", "pause", "resume"] as const) {
      const { changes, result } = decideSendSignal(send(signal), before);
      assert.deepEqual(result, { outcome: "sent", status: "running", unsettled: false });
      assert.deepEqual(changes?.pending, { type: signal, payload: bytes("p") });
      assert.deepEqual(changes?.row, {
        ...before,
        pendingSignal: signal,
        recordedSignal: null,
        pauseAcknowledged: false,
      });
      assert.ok(changes?.notices?.includes("signal"));
    }
    const { payload: _, ...empty } = send("cancel");
    assert.deepEqual(decideSendSignal(empty, before).changes?.pending, { type: "cancel", payload: null });
  });

  it("R5: a cancel ends a pending instance at once, and a suspended one that no worker can wake", () => {
    for (const before of [row(), row(unclaimable), suspended("paused", unclaimable)]) {
      const { changes, result } = decideSendSignal(send("cancel"), before);
      assert.deepEqual(result, { outcome: "sent", status: "cancelled", unsettled: false });
      assert.deepEqual(
        [changes?.row?.reason, changes?.row?.finishedAtMs, changes?.row?.readyAtMs],
        ["cancelled", 3_000, null],
      );
      assert.deepEqual(changes?.events, [
        {
          type: "custom",
          subtype: "cancelled",
          checkpointId: null,
          payload: bytes("p"),
          createdAtMs: 3_000,
          receivedAtMs: 3_000,
        },
      ]);
      assert.equal(changes?.pending, undefined);
    }
  });

  it("R5: a cancel makes a suspended instance ready that a worker can wake, for any reason", () => {
    for (const reason of ["sleeping", "waiting", "paused", "diverged", "lost", "handedBack", null] as const) {
      const { changes } = decideSendSignal(send("cancel"), suspended(reason, { readyAtMs: 9_000 }));
      const after = changes?.row;
      assert.deepEqual(
        [after?.status, after?.reason, after?.readyAtMs, after?.pendingSignal],
        ["suspended", reason, 3_000, "cancel"],
      );
      assert.ok(changes?.notices?.includes("work"));
    }
    assert.equal(
      decideSendSignal(send("cancel"), suspended(null, { readyAtMs: 2_500 })).changes?.row?.readyAtMs,
      2_500,
    );
  });

  it("a pause suspends at once what nobody runs, else it is asked for", () => {
    for (const before of [row({ readyAtMs: 9_000 }), suspended("sleeping", { readyAtMs: 9_000 }), suspended("lost")]) {
      const { changes, result } = decideSendSignal(send("pause"), before);
      assert.deepEqual(result, { outcome: "sent", status: "suspended", unsettled: false });
      assert.deepEqual([changes?.row?.reason, changes?.row?.readyAtMs, changes?.pending], ["paused", null, undefined]);
      assert.deepEqual([changes?.events?.[0]?.type, changes?.events?.[0]?.subtype], ["suspended", "paused"]);
    }
    const waiting = decideSendSignal(send("pause"), suspended("waiting", { waitingFor: ["a"] })).changes;
    assert.deepEqual(waiting?.row?.waitingFor, []);
    for (const reason of ["paused", "diverged"] as const) {
      assert.equal(decideSendSignal(send("pause"), suspended(reason)).changes, undefined);
    }
    for (const before of [row(unclaimable), suspended("paused", unclaimable)]) {
      const { changes } = decideSendSignal(send("pause"), before);
      assert.deepEqual([changes?.row?.status, changes?.row?.pendingSignal], [before.status, "pause"]);
    }
  });

  it("a resume makes a suspended instance ready, whatever it waits for, and takes back a pause that is still pending", () => {
    for (const reason of ["sleeping", "waiting", "paused", "diverged", "lost", null] as const) {
      const { changes } = decideSendSignal(
        send("resume"),
        suspended(reason, { waitingFor: reason === "waiting" ? ["a"] : [] }),
      );
      const after = changes?.row;
      assert.deepEqual(
        [after?.status, after?.reason, after?.readyAtMs, after?.waitingFor],
        ["suspended", null, 3_000, []],
      );
      assert.equal(changes?.pending, undefined);
    }
    const { changes } = decideSendSignal(send("resume"), suspended("paused", { pendingSignal: "pause" }));
    assert.deepEqual([changes?.pending, changes?.row?.pendingSignal], ["acknowledged", null]);
    assert.equal(decideSendSignal(send("resume"), row()).changes, undefined);
    assert.equal(
      decideSendSignal(send("resume"), suspended("paused", unclaimable)).changes?.row?.pendingSignal,
      "resume",
    );
  });

  it("I6: a pending cancel is kept, with its payload, whatever comes after it", () => {
    for (const signal of ["cancel", "pause", "resume"] as const) {
      assert.deepEqual(decideSendSignal(send(signal), suspended("paused", { pendingSignal: "cancel" })), {
        result: { outcome: "cancelKept", status: "suspended", unsettled: false },
        changes: undefined,
      });
    }
  });

  it("I9: refuses what has ended, and does not know another tenant's", () => {
    assert.deepEqual(decideSendSignal(send("cancel"), ended({ pendingSignal: "cancel" })), {
      result: { outcome: "refused", status: "completed" },
      changes: undefined,
    });
    assert.deepEqual(decideSendSignal(send("cancel", { tenantId: "u" }), running()), {
      result: { outcome: "unknownInstance" },
      changes: undefined,
    });
    assert.equal(decideSendSignal(send("cancel", { tenantId: "t" }), running()).result.outcome, "sent");
  });
});
