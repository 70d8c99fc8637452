import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SaveCheckpoint } from "../operations/index.ts";
import type { SaveCheckpointFacts } from "./facts.ts";
import { bytes, running, suspended } from "./rows.test.helper.ts";
import { decideSaveCheckpoint } from "./save-checkpoint.ts";

const nothing: SaveCheckpointFacts = { stored: undefined, signalPayload: null, slot: undefined, queued: undefined };

function save(over: Partial<SaveCheckpoint> = {}): SaveCheckpoint {
  return { kind: "saveCheckpoint", instanceId: "i", checkpointId: "c", state: bytes("s"), nowMs: 3_000, ...over };
}

describe("decideSaveCheckpoint", () => {
  it("saves what is new and moves pointer, count and last call", () => {
    const before = running({ checkpointCount: 2, checkpointId: "b" });
    const { changes, result } = decideSaveCheckpoint(save({ epoch: 3 }), before, nothing);
    assert.deepEqual(result, { outcome: "saved", state: new Uint8Array(0), signal: undefined, custom: undefined });
    assert.deepEqual(changes, {
      atMs: 3_000,
      row: { ...before, checkpointId: "c", checkpointCount: 3, lastSeenAtMs: 3_000 },
      checkpoints: [{ checkpointId: "c", state: bytes("s") }],
      notices: ["history"],
    });
  });

  it("I3: answers what is stored and writes nothing", () => {
    const { changes, result } = decideSaveCheckpoint(save(), running({ lastSeenAtMs: 0 }), {
      ...nothing,
      stored: bytes("old"),
    });
    assert.deepEqual(result, { outcome: "found", state: bytes("old"), signal: undefined, custom: undefined });
    assert.equal(changes, undefined);
  });

  it("answers the pending signal, which stays", () => {
    const { changes, result } = decideSaveCheckpoint(save(), running({ pendingSignal: "pause" }), nothing);
    assert.deepEqual(result.outcome === "saved" && result.signal, { type: "pause", payload: new Uint8Array(0) });
    assert.equal(changes?.pending, undefined);
    assert.equal(changes?.row?.pendingSignal, "pause");
  });

  it("I6: takes the older one of slot and queue", () => {
    const slot = { signalId: 5, payload: bytes("slot") };
    const queued = { signalId: 4, payload: null };
    const take = (facts: Partial<SaveCheckpointFacts>, queuedSignals: number) =>
      decideSaveCheckpoint(save(), running({ queuedSignals }), { ...nothing, ...facts });
    const both = take({ slot, queued }, 2);
    assert.deepEqual(both.result.outcome === "saved" && both.result.custom, {
      checkpointId: "c",
      payload: new Uint8Array(0),
    });
    assert.deepEqual(both.changes?.signalsTaken, [{ signalId: 4, queued: true }]);
    assert.equal(both.changes?.row?.queuedSignals, 1);
    assert.equal(both.changes?.row?.checkpointCount, 1);
    const slotFirst = take({ slot, queued: { ...queued, signalId: 6 } }, 2);
    assert.deepEqual(slotFirst.changes?.signalsTaken, [{ signalId: 5, queued: false }]);
    assert.equal(slotFirst.changes?.row?.queuedSignals, 2);
    assert.deepEqual(take({ slot, stored: bytes("old") }, 0).changes?.signalsTaken, [{ signalId: 5, queued: false }]);
    assert.equal(take({ slot, stored: bytes("old") }, 0).changes?.checkpoints, undefined);
  });

  it("I5: an unknown instance, an old epoch and a status other than running get nothing", () => {
    const taking = { ...nothing, slot: { signalId: 1, payload: null } };
    const refused = (epoch: number, row: Parameters<typeof decideSaveCheckpoint>[1]) =>
      decideSaveCheckpoint(save({ epoch }), row, taking);
    assert.deepEqual(refused(3, undefined), { result: { outcome: "unknownInstance" }, changes: undefined });
    assert.deepEqual(refused(2, suspended(null)), { result: { outcome: "fenced", epoch: 3 }, changes: undefined });
    assert.deepEqual(refused(4, running()), { result: { outcome: "fenced", epoch: 3 }, changes: undefined });
    assert.deepEqual(refused(3, suspended(null)), {
      result: { outcome: "refused", status: "suspended" },
      changes: undefined,
    });
  });
});
