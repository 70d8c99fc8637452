import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RegisterInstance } from "../operations/index.ts";
import type { RegisterInstanceFacts } from "./facts.ts";
import { decideRegisterInstance } from "./register-instance.ts";
import { bytes, ended, row, running, seed, suspended } from "./rows.test.helper.ts";

const facts: RegisterInstanceFacts = { checkpointExists: false, retryCount: 0, input: null, signalPayload: null };

function register(over: Partial<RegisterInstance> = {}): RegisterInstance {
  return {
    kind: "registerInstance",
    instanceId: "i",
    tenantId: "t",
    checkTenant: false,
    seed,
    nowMs: 5_000,
    staleAfterMs: 60_000,
    ...over,
  };
}

describe("decideRegisterInstance", () => {
  it("creates an unknown instance as running, with its started event", () => {
    const { changes, result } = decideRegisterInstance(register(), undefined, facts);
    assert.deepEqual(result, {
      outcome: "registered",
      created: true,
      facts: {
        epoch: 1,
        checkpointCount: 0,
        input: null,
        firstStartedAtMs: 5_000,
        seed,
        run: 1,
        workflow: null,
        version: null,
        parentInstanceId: null,
        signal: undefined,
      },
    });
    assert.deepEqual(changes?.insert, { input: null, tags: {} });
    assert.deepEqual(changes?.events, [
      { type: "started", subtype: null, checkpointId: null, payload: null, createdAtMs: 5_000, receivedAtMs: 5_000 },
    ]);
    assert.equal(changes?.row?.status, "running");
    assert.equal(changes?.row?.createdAtMs, 5_000);
  });

  it("clears what is left of the last life and keeps what belongs to the instance", () => {
    const before = suspended("waiting", {
      reasonText: "words",
      exitCode: 3,
      readyAtMs: 9_000,
      waitingFor: ["a"],
      pendingSignal: "cancel",
      recordedSignal: "cancel",
      pauseAcknowledged: true,
      checkpointCount: 4,
      run: 2,
    });
    const { changes, result } = decideRegisterInstance(register({ checkpointId: "c" }), before, {
      checkpointExists: true,
      retryCount: 2,
      input: bytes("in"),
      signalPayload: bytes("why"),
    });
    assert.deepEqual(result, {
      outcome: "registered",
      created: false,
      facts: {
        epoch: 4,
        checkpointCount: 6,
        input: bytes("in"),
        firstStartedAtMs: 1_500,
        seed,
        run: 2,
        workflow: "order",
        version: "v1",
        parentInstanceId: null,
        signal: { type: "cancel", payload: bytes("why") },
      },
    });
    assert.deepEqual(changes?.row, {
      ...before,
      status: "running",
      reason: null,
      reasonText: null,
      exitCode: null,
      epoch: 4,
      startedAtMs: 5_000,
      lastSeenAtMs: 5_000,
      readyAtMs: null,
      waitingFor: [],
      recordedSignal: null,
      pauseAcknowledged: false,
      dueAtMs: 65_000,
      changes: 1,
    });
    assert.deepEqual(
      [changes?.output, changes?.error, changes?.failure, changes?.clearSleepUntil],
      [null, null, null, true],
    );
    assert.equal(changes?.events?.[0]?.checkpointId, "c");
    assert.deepEqual(new Set(changes?.notices), new Set(["history", "status", "due", "signal"]));
  });

  it("adds up the running time of a life that it replaces, and tells its worker", () => {
    const { changes } = decideRegisterInstance(
      register({ staleAfterMs: 0 }),
      running({ holder: "w", claimSequence: 3, usedMs: 10, timeoutMs: 10_000 }),
      facts,
    );
    assert.equal(changes?.row?.usedMs, 3_010);
    assert.equal(changes?.row?.holder, null);
    assert.equal(changes?.row?.claimSequence, null);
    assert.equal(changes?.row?.dueAtMs, 5_000 + 10_000 - 3_010);
    assert.equal(changes?.lostBy, "w");
  });

  it("is due at the earlier of silence and time-out; never without either", () => {
    const dueAt = (timeoutMs: number | null, staleAfterMs: number) =>
      decideRegisterInstance(register({ staleAfterMs }), row({ timeoutMs }), facts).changes?.row?.dueAtMs;
    assert.equal(dueAt(null, 0), null);
    assert.equal(dueAt(100, 60_000), 5_100);
    assert.equal(dueAt(100_000, 60_000), 65_000);
  });

  it("gives an adopted instance its seed once", () => {
    assert.equal(decideRegisterInstance(register(), running({ seed: null }), facts).changes?.row?.seed, seed);
    const other = new Uint8Array(16);
    assert.equal(decideRegisterInstance(register({ seed: other }), running(), facts).changes?.row?.seed, seed);
  });

  it("refuses a missing checkpoint first, then another tenant, then an ended instance", () => {
    const operation = register({ checkpointId: "c", checkTenant: true, tenantId: "other" });
    assert.deepEqual(decideRegisterInstance(operation, ended(), facts), {
      result: { outcome: "checkpointMissing" },
      changes: undefined,
    });
    const found = { ...facts, checkpointExists: true };
    assert.deepEqual(decideRegisterInstance(operation, ended(), found).result, { outcome: "otherTenant" });
    assert.deepEqual(decideRegisterInstance({ ...operation, checkTenant: false }, ended(), found), {
      result: { outcome: "refused", status: "completed" },
      changes: undefined,
    });
    assert.deepEqual(decideRegisterInstance(register({ checkpointId: "c" }), undefined, found).result, {
      outcome: "checkpointMissing",
    });
  });
});
