import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SuspendUntil } from "../operations/index.ts";
import type { SuspendUntilFacts } from "./facts.ts";
import { bytes, ended, row, running, suspended } from "./rows.test.helper.ts";
import { decideSuspendUntil } from "./suspend-until.ts";

const nothing: SuspendUntilFacts = { signalPayload: null, queued: [], nextRetryAtMs: undefined };

function suspend(over: Partial<SuspendUntil> = {}): SuspendUntil {
  return {
    kind: "suspendUntil",
    instanceId: "i",
    epoch: 3,
    untilMs: 9_000,
    names: [],
    afterSignalId: 0,
    bytesMax: 1_000,
    nowMs: 3_000,
    ...over,
  };
}

function withoutTime(names: readonly string[]): SuspendUntil {
  const { untilMs: _, ...rest } = suspend({ names });
  return rest;
}

describe("decideSuspendUntil", () => {
  it("sleeps until the time, with an event, and lets go", () => {
    const before = running({ holder: "w", claimSequence: 1, dueAtMs: 4_000 });
    const { changes, result } = decideSuspendUntil(suspend(), before, nothing);
    assert.deepEqual(result, { outcome: "suspended" });
    assert.deepEqual(changes, {
      atMs: 3_000,
      row: {
        ...before,
        status: "suspended",
        reason: "sleeping",
        holder: null,
        claimSequence: null,
        dueAtMs: null,
        usedMs: 1_000,
        readyAtMs: 9_000,
        changes: 1,
      },
      events: [
        {
          type: "suspended",
          subtype: "sleeping",
          checkpointId: null,
          payload: null,
          createdAtMs: 3_000,
          receivedAtMs: 3_000,
        },
      ],
      notices: ["history", "status", "work"],
    });
  });

  it("waits for names, with or without a time; and for a cancel alone where it asks for neither", () => {
    const after = (operation: SuspendUntil) => decideSuspendUntil(operation, running(), nothing).changes?.row;
    for (const [operation, readyAtMs, names] of [
      [suspend({ names: ["a", "b"] }), 9_000, ["a", "b"]],
      [withoutTime(["a"]), null, ["a"]],
      [withoutTime([]), null, []],
    ] as const) {
      const present = after(operation);
      assert.deepEqual([present?.reason, present?.readyAtMs, present?.waitingFor], ["waiting", readyAtMs, names]);
    }
  });

  it("wakes for an open retry that comes first", () => {
    const readyAt = (operation: SuspendUntil, nextRetryAtMs: number) =>
      decideSuspendUntil(operation, running(), { ...nothing, nextRetryAtMs }).changes?.row?.readyAtMs;
    assert.equal(readyAt(suspend(), 4_000), 4_000);
    assert.equal(readyAt(suspend(), 10_000), 9_000);
    assert.equal(readyAt(withoutTime(["a"]), 4_000), 4_000);
  });

  it("is not yet time if its time has come, a signal is there or an unseen one is pending", () => {
    const queued = [{ signalId: 4, name: "a", payload: bytes("p"), createdAtMs: 1 }];
    const notYet = { outcome: "notYet", signal: undefined, queued: [] };
    assert.deepEqual(decideSuspendUntil(suspend({ untilMs: 3_000 }), running(), nothing), {
      result: notYet,
      changes: undefined,
    });
    assert.deepEqual(decideSuspendUntil(suspend({ names: ["a"] }), running(), { ...nothing, queued }).result, {
      ...notYet,
      queued,
    });
    const cancelling = running({ pendingSignal: "cancel" });
    const facts = { ...nothing, signalPayload: bytes("why") };
    const signal = { type: "cancel", payload: bytes("why") };
    assert.deepEqual(decideSuspendUntil(suspend(), cancelling, facts).result, { ...notYet, signal });
    assert.deepEqual(decideSuspendUntil(suspend({ recordedSignal: "pause" }), cancelling, facts).result, {
      ...notYet,
      signal,
    });
  });

  it("R5: a signal that its history has does not keep it from suspending", () => {
    const decide = (recordedSignal: "cancel", pendingSignal: "cancel" | null) =>
      decideSuspendUntil(suspend({ recordedSignal }), running({ pendingSignal }), nothing).changes?.row?.recordedSignal;
    assert.equal(decide("cancel", "cancel"), "cancel");
    assert.equal(decide("cancel", null), null);
  });

  it("is the same again for the epoch that it suspended, whatever an operator did since", () => {
    for (const reason of ["sleeping", "waiting", "paused", null] as const) {
      assert.deepEqual(decideSuspendUntil(suspend(), suspended(reason), nothing), {
        result: { outcome: "suspended" },
        changes: undefined,
      });
    }
  });

  it("is refused where it does not run", () => {
    for (const before of [
      row({ epoch: 3 }),
      suspended("lost"),
      suspended("handedBack"),
      suspended("diverged"),
      ended(),
    ]) {
      assert.deepEqual(decideSuspendUntil(suspend(), before, nothing), {
        result: { outcome: "refused", status: before.status },
        changes: undefined,
      });
    }
    assert.deepEqual(decideSuspendUntil(suspend(), undefined, nothing).result, { outcome: "unknownInstance" });
    assert.deepEqual(decideSuspendUntil(suspend({ epoch: 2 }), suspended("sleeping"), nothing).result, {
      outcome: "fenced",
      epoch: 3,
    });
  });
});
