import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PollSignals } from "../operations/index.ts";
import type { CustomSignalFacts } from "./facts.ts";
import { decidePollSignals } from "./poll-signals.ts";
import { bytes, ended, running } from "./rows.test.helper.ts";

const facts: CustomSignalFacts = {
  signalPayload: bytes("why"),
  slot: { signalId: 4, payload: bytes("p") },
  queued: undefined,
};

function poll(over: Partial<PollSignals> = {}): PollSignals {
  return { kind: "pollSignals", instanceId: "i", nowMs: 3_000, ...over };
}

describe("decidePollSignals", () => {
  it("reads the pending signal and takes nothing without a checkpoint id", () => {
    assert.deepEqual(decidePollSignals(poll(), ended({ pendingSignal: "cancel" }), facts), {
      result: { outcome: "polled", signal: { type: "cancel", payload: bytes("why") }, custom: undefined },
      changes: undefined,
    });
  });

  it("I6: takes the custom signal of its checkpoint id", () => {
    const { changes, result } = decidePollSignals(poll({ checkpointId: "c" }), running(), facts);
    assert.deepEqual(result, {
      outcome: "polled",
      signal: undefined,
      custom: { checkpointId: "c", payload: bytes("p") },
    });
    assert.deepEqual(changes, { atMs: 3_000, signalsTaken: [{ signalId: 4, queued: false }] });
    const nothing = decidePollSignals(poll({ checkpointId: "c" }), running(), { ...facts, slot: undefined });
    assert.equal(nothing.changes, undefined);
  });

  it("I5: an old process takes nothing", () => {
    assert.deepEqual(decidePollSignals(poll({ checkpointId: "c", epoch: 2 }), running(), facts), {
      result: { outcome: "fenced", epoch: 3 },
      changes: undefined,
    });
    assert.deepEqual(decidePollSignals(poll(), undefined, facts).result, { outcome: "unknownInstance" });
  });
});
