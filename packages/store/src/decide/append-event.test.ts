import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { InstanceStatus, SignalType, StatusReason } from "../model.ts";
import type { AppendEvent } from "../operations/index.ts";
import { decideAppendEvent } from "./append-event.ts";
import type { InstanceRow } from "./row.ts";
import { bytes, ended, row, running, suspended, unclaimable } from "./rows.test.helper.ts";

function event(over: Partial<AppendEvent> = {}): AppendEvent {
  return { kind: "appendEvent", instanceId: "i", type: "heartbeat", createdAtMs: 11, nowMs: 3_000, ...over };
}

function after(
  operation: AppendEvent,
  before: InstanceRow,
): readonly [InstanceStatus, StatusReason | null] | undefined {
  const present = decideAppendEvent(operation, before).changes?.row;
  return present === undefined ? undefined : [present.status, present.reason];
}

describe("decideAppendEvent", () => {
  it("stores heartbeats and custom events in any status, with both times", () => {
    for (const type of ["heartbeat", "custom"] as const) {
      for (const before of [row(), running(), suspended("paused"), ended()]) {
        const operation = event({ type, checkpointId: "c", subtype: "s", payload: bytes("p") });
        const { changes, result } = decideAppendEvent(operation, before);
        assert.deepEqual(result, { outcome: "stored", status: before.status, unsettled: false });
        assert.deepEqual(changes, {
          atMs: 3_000,
          events: [
            { type, subtype: "s", checkpointId: "c", payload: bytes("p"), createdAtMs: 11, receivedAtMs: 3_000 },
          ],
          notices: ["history"],
        });
      }
    }
  });

  it("notes the call where the last note is old", () => {
    assert.equal(decideAppendEvent(event({ nowMs: 6_999 }), running()).changes?.row, undefined);
    assert.equal(decideAppendEvent(event({ nowMs: 7_000 }), running()).changes?.row?.lastSeenAtMs, 7_000);
    assert.equal(decideAppendEvent(event({ nowMs: 7_000 }), ended()).changes?.row, undefined);
  });

  it("completes, with output in place of error and failure", () => {
    const before = running({ holder: "w", claimSequence: 1, dueAtMs: 9, usedMs: 5 });
    const { changes, result } = decideAppendEvent(event({ type: "completed", output: bytes("o"), error: "e" }), before);
    assert.deepEqual(result, { outcome: "stored", status: "completed", unsettled: false });
    assert.deepEqual([changes?.output, changes?.error, changes?.failure], [bytes("o"), null, null]);
    assert.deepEqual(changes?.row, {
      ...before,
      status: "completed",
      reason: "reported",
      holder: null,
      claimSequence: null,
      dueAtMs: null,
      usedMs: 1_005,
      finishedAtMs: 3_000,
      changes: 1,
    });
    assert.equal(changes?.sleepsForgotten, true);
    assert.equal(changes?.lostBy, undefined);
    assert.deepEqual(changes?.notices, ["history", "ended"]);
  });

  it("fails, with error and failure in place of output", () => {
    const { changes } = decideAppendEvent(
      event({ type: "failed", error: "e", failure: bytes("{}") }),
      suspended("sleeping"),
    );
    assert.deepEqual([changes?.output, changes?.error, changes?.failure], [null, "e", bytes("{}")]);
    assert.deepEqual([changes?.row?.status, changes?.row?.reason, changes?.row?.usedMs], ["failed", "reported", 500]);
    const bare = decideAppendEvent(event({ type: "failed" }), row()).changes;
    assert.deepEqual([bare?.output, bare?.error, bare?.failure], [null, null, null]);
  });

  it("leaves an end unsettled that a parent or children have to hear of", () => {
    const unsettled = (over: Partial<InstanceRow>) =>
      decideAppendEvent(event({ type: "completed" }), running(over)).result;
    assert.equal((unsettled({ parentId: "p", resultSignal: "r" }) as { unsettled: boolean }).unsettled, true);
    assert.equal((unsettled({ parentId: "p" }) as { unsettled: boolean }).unsettled, false);
    assert.equal((unsettled({ childCount: 1 }) as { unsettled: boolean }).unsettled, true);
    assert.deepEqual(decideAppendEvent(event({ type: "completed" }), running({ childCount: 1 })).changes?.notices, [
      "history",
      "ended",
      "due",
    ]);
  });

  it("I4: on a finished instance stores the row and nothing else", () => {
    for (const type of ["completed", "failed", "suspended"] as const) {
      const { changes, result } = decideAppendEvent(event({ type, output: bytes("o"), error: "e" }), ended());
      assert.deepEqual(result, { outcome: "stored", status: "completed", unsettled: false });
      assert.deepEqual(Object.keys(changes ?? {}), ["atMs", "events", "notices"]);
    }
  });

  it("suspends for the reason that is given, or for a pause that was acknowledged, or for none", () => {
    const suspension = (over: Partial<AppendEvent>, present: Partial<InstanceRow> = {}) =>
      after(event({ type: "suspended", ...over }), running(present));
    assert.deepEqual(suspension({}), ["suspended", null]);
    assert.deepEqual(suspension({ reason: "paused" }), ["suspended", "paused"]);
    assert.deepEqual(suspension({ reason: "diverged" }), ["suspended", "diverged"]);
    assert.deepEqual(suspension({}, { pauseAcknowledged: true }), ["suspended", "paused"]);
    assert.deepEqual(suspension({ reason: "diverged" }, { pauseAcknowledged: true }), ["suspended", "diverged"]);
  });

  it("R5: a suspension with a cancel pending ends cancelled, unless the history has the cancel", () => {
    for (const reason of [{}, { reason: "paused" }, { reason: "diverged" }] as const) {
      const operation = event({ type: "suspended", ...reason });
      const { changes } = decideAppendEvent(operation, running({ pendingSignal: "cancel" }));
      assert.deepEqual([changes?.row?.status, changes?.row?.reason], ["cancelled", "cancelled"]);
      assert.deepEqual([changes?.pending, changes?.row?.pendingSignal], ["acknowledged", null]);
      assert.equal("output" in (changes ?? {}), false);
      assert.equal(after(operation, running({ pendingSignal: "cancel", recordedSignal: "cancel" }))?.[0], "suspended");
    }
  });

  it("obeys a resume that came before the suspension, where a worker can wake the instance", () => {
    for (const reason of [undefined, "paused"] as const) {
      const operation = event({ type: "suspended", ...(reason === undefined ? {} : { reason }) });
      const { changes } = decideAppendEvent(operation, running({ pendingSignal: "resume" }));
      assert.deepEqual(
        [changes?.row?.status, changes?.row?.reason, changes?.row?.readyAtMs],
        ["suspended", null, 3_000],
      );
      assert.equal(changes?.pending, "acknowledged");
      const other = decideAppendEvent(operation, running({ pendingSignal: "resume", ...unclaimable })).changes;
      assert.deepEqual([other?.row?.reason, other?.row?.readyAtMs, other?.pending], [reason ?? null, null, undefined]);
    }
    assert.deepEqual(after(event({ type: "suspended", reason: "diverged" }), running({ pendingSignal: "resume" })), [
      "suspended",
      "diverged",
    ]);
  });

  it("does nothing more to what is suspended, unless nobody could wake it for its cancel", () => {
    assert.equal(after(event({ type: "suspended" }), suspended("sleeping")), undefined);
    const pending: { pendingSignal: SignalType } = { pendingSignal: "cancel" };
    assert.equal(after(event({ type: "suspended" }), suspended("sleeping", pending)), undefined);
    assert.deepEqual(after(event({ type: "suspended" }), suspended("sleeping", { ...pending, ...unclaimable })), [
      "cancelled",
      "cancelled",
    ]);
  });

  it("I5: refuses an unknown instance and an old epoch", () => {
    assert.deepEqual(decideAppendEvent(event(), undefined), {
      result: { outcome: "unknownInstance" },
      changes: undefined,
    });
    assert.deepEqual(decideAppendEvent(event({ epoch: 2, type: "completed" }), running()), {
      result: { outcome: "fenced", epoch: 3 },
      changes: undefined,
    });
  });
});
