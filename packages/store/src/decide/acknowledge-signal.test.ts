import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AcknowledgeSignal } from "../operations/index.ts";
import { decideAcknowledgeSignal } from "./acknowledge-signal.ts";
import { ended, row, running, suspended } from "./rows.test.helper.ts";

function acknowledge(signal: AcknowledgeSignal["signal"], over: Partial<AcknowledgeSignal> = {}): AcknowledgeSignal {
  return { kind: "acknowledgeSignal", instanceId: "i", signal, nowMs: 3_000, ...over };
}

describe("decideAcknowledgeSignal", () => {
  it("a cancel ends what has not ended", () => {
    for (const before of [row(), running({ holder: "w" }), suspended("paused")]) {
      const { changes, result } = decideAcknowledgeSignal(acknowledge("cancel"), {
        ...before,
        pendingSignal: "cancel",
      });
      assert.deepEqual(result, { outcome: "acknowledged", status: "cancelled", unsettled: false });
      const after = changes?.row;
      assert.deepEqual(
        [after?.reason, after?.finishedAtMs, after?.pendingSignal, after?.holder],
        ["cancelled", 3_000, null, null],
      );
      assert.deepEqual(
        [changes?.pending, changes?.sleepsForgotten, changes?.lostBy],
        ["acknowledged", true, undefined],
      );
      assert.equal(changes?.events, undefined);
    }
  });

  it("I4: in a final status the signal is acknowledged and nothing else changes", () => {
    const before = ended({ pendingSignal: "cancel", childCount: 1 });
    const { changes, result } = decideAcknowledgeSignal(acknowledge("cancel"), before);
    assert.deepEqual(result, { outcome: "acknowledged", status: "completed", unsettled: false });
    assert.deepEqual(changes?.row, { ...before, pendingSignal: null });
  });

  it("a pause is remembered for the suspension that follows, a resume is not", () => {
    const paused = decideAcknowledgeSignal(acknowledge("pause"), running({ pendingSignal: "pause" })).changes?.row;
    assert.deepEqual([paused?.status, paused?.pendingSignal, paused?.pauseAcknowledged], ["running", null, true]);
    const resumed = decideAcknowledgeSignal(
      acknowledge("resume"),
      running({ pendingSignal: "resume", pauseAcknowledged: true }),
    ).changes?.row;
    assert.equal(resumed?.pauseAcknowledged, false);
    const early = decideAcknowledgeSignal(acknowledge("pause"), row({ pendingSignal: "pause" })).changes?.row;
    assert.equal(early?.pauseAcknowledged, false);
  });

  it("does nothing if none or another signal is pending", () => {
    for (const [signal, pendingSignal] of [
      ["cancel", null],
      ["cancel", "pause"],
      ["pause", "resume"],
      ["resume", "cancel"],
    ] as const) {
      assert.deepEqual(decideAcknowledgeSignal(acknowledge(signal), running({ pendingSignal })), {
        result: { outcome: "notPending", pending: pendingSignal ?? undefined },
        changes: undefined,
      });
    }
  });

  it("I5: refuses an unknown instance and an old epoch", () => {
    assert.deepEqual(decideAcknowledgeSignal(acknowledge("cancel"), undefined).result, { outcome: "unknownInstance" });
    const old = acknowledge("cancel", { epoch: 2 });
    assert.deepEqual(decideAcknowledgeSignal(old, running({ pendingSignal: "cancel" })), {
      result: { outcome: "fenced", epoch: 3 },
      changes: undefined,
    });
  });
});
