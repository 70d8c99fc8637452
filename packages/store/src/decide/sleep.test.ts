import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BeginSleep, EndSleep } from "../operations/index.ts";
import { bytes, ended, row, running, suspended } from "./rows.test.helper.ts";
import { decideBeginSleep, decideEndSleep } from "./sleep.ts";

const nothing = { latest: undefined, earlier: undefined };

function begin(over: Partial<BeginSleep> = {}): BeginSleep {
  return {
    kind: "beginSleep",
    instanceId: "i",
    checkpointId: "c",
    state: bytes("s"),
    durationMs: 500,
    nowMs: 3_000,
    ...over,
  };
}

describe("decideBeginSleep", () => {
  it("records the first sleep, and the next one once the last has been slept", () => {
    const first = decideBeginSleep(begin(), running(), nothing);
    assert.deepEqual(first.result, { outcome: "sleeping", ordinal: 1, wakeAtMs: 3_500, continued: false });
    assert.deepEqual(first.changes?.sleepPut, {
      checkpointId: "c",
      ordinal: 1,
      epoch: 3,
      finished: false,
      wakeAtMs: 3_500,
      state: bytes("s"),
    });
    const latest = { ordinal: 1, finished: true, wakeAtMs: 2_500 };
    assert.deepEqual(decideBeginSleep(begin(), running(), { ...nothing, latest }).result, {
      outcome: "sleeping",
      ordinal: 2,
      wakeAtMs: 3_500,
      continued: false,
    });
  });

  it("R9: continues an unfinished one of this registration, and writes nothing", () => {
    const latest = { ordinal: 2, finished: false, wakeAtMs: 2_500 };
    assert.deepEqual(decideBeginSleep(begin(), running(), { latest, earlier: { wakeAtMs: 1 } }), {
      result: { outcome: "sleeping", ordinal: 2, wakeAtMs: 2_500, continued: true },
      changes: undefined,
    });
  });

  it("R9: takes over the end that an earlier registration recorded", () => {
    const { changes, result } = decideBeginSleep(begin(), running(), { ...nothing, earlier: { wakeAtMs: 2_900 } });
    assert.deepEqual(result, { outcome: "sleeping", ordinal: 1, wakeAtMs: 2_900, continued: true });
    assert.deepEqual([changes?.sleepPut?.epoch, changes?.sleepPut?.state], [3, undefined]);
  });

  it("notes the call of a running instance", () => {
    assert.equal(decideBeginSleep(begin({ nowMs: 9_000 }), running(), nothing).changes?.row?.lastSeenAtMs, 9_000);
    for (const before of [row(), suspended(null)]) {
      assert.equal(decideBeginSleep(begin({ nowMs: 9_000 }), before, nothing).changes?.row, undefined);
    }
  });

  it("R9: an unknown or ended instance and an old process just wait", () => {
    const unrecorded = { result: { outcome: "unrecorded" }, changes: undefined };
    assert.deepEqual(decideBeginSleep(begin(), undefined, nothing), unrecorded);
    assert.deepEqual(decideBeginSleep(begin(), ended(), nothing), unrecorded);
    assert.deepEqual(decideBeginSleep(begin({ epoch: 2 }), running(), nothing), unrecorded);
  });
});

describe("decideEndSleep", () => {
  const operation: EndSleep = { kind: "endSleep", instanceId: "i", checkpointId: "c", ordinal: 2 };
  const record = { epoch: 3, finished: false, wakeAtMs: 2_500 };

  it("finishes the record of this registration", () => {
    const { changes, result } = decideEndSleep(operation, running(), { record });
    assert.deepEqual(result, { outcome: "ended" });
    assert.deepEqual(changes?.sleepPut, {
      checkpointId: "c",
      ordinal: 2,
      epoch: 3,
      finished: true,
      wakeAtMs: 2_500,
      state: undefined,
    });
  });

  it("leaves one alone that is not there, finished already, or no longer the caller's", () => {
    const nothingDone = { result: { outcome: "ended" }, changes: undefined };
    assert.deepEqual(decideEndSleep(operation, undefined, { record }), nothingDone);
    assert.deepEqual(decideEndSleep(operation, running(), { record: undefined }), nothingDone);
    assert.deepEqual(decideEndSleep(operation, running(), { record: { ...record, finished: true } }), nothingDone);
    assert.deepEqual(decideEndSleep(operation, running(), { record: { ...record, epoch: 2 } }), nothingDone);
    assert.deepEqual(decideEndSleep({ ...operation, epoch: 2 }, running(), { record }), nothingDone);
  });
});
