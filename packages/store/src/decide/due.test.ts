import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { limits } from "../limits.ts";
import type { FireDue } from "../operations/index.ts";
import { decideDue } from "./due.ts";
import { ended, running, suspended } from "./rows.test.helper.ts";

const nobody = { holderLeaseUntilMs: undefined, launched: false };

function fire(over: Partial<FireDue> = {}): FireDue {
  return { kind: "fireDue", nowMs: 10_000, staleAfterMs: 5_000, limit: 10, ...over };
}

describe("decideDue", () => {
  it("I7: ends what has used up its running time, fenced", () => {
    const before = running({ timeoutMs: 9_000, usedMs: 1_000, dueAtMs: 10_000, holder: "w" });
    const { changes, result } = decideDue(fire(), before, { ...nobody, holderLeaseUntilMs: 99_000 });
    assert.equal(result, "timedOut");
    const after = changes?.row;
    assert.deepEqual([after?.status, after?.reason, after?.epoch, after?.usedMs], ["failed", "timeout", 4, 9_000]);
    assert.deepEqual([after?.dueAtMs, after?.holder, changes?.lostBy], [null, null, "w"]);
    assert.deepEqual(
      changes?.events?.map(({ type, subtype }) => [type, subtype]),
      [["failed", "timeout"]],
    );
  });

  it("R6: suspends what has been silent, and ends it if a cancel is pending", () => {
    const { changes, result } = decideDue(fire(), running({ dueAtMs: 7_000 }), nobody);
    assert.equal(result, "lost");
    assert.deepEqual([changes?.row?.status, changes?.row?.reason, changes?.row?.epoch], ["suspended", "lost", 3]);
    assert.deepEqual(changes?.events?.[0]?.subtype, "lost");
    const cancelled = decideDue(fire(), running({ dueAtMs: 7_000, pendingSignal: "cancel" }), nobody).changes?.row;
    assert.deepEqual([cancelled?.status, cancelled?.reason], ["cancelled", "cancelled"]);
  });

  it("R6: moves the due time of what was heard meanwhile", () => {
    const { changes, result } = decideDue(fire(), running({ dueAtMs: 7_000, lastSeenAtMs: 5_001 }), nobody);
    assert.deepEqual([result, changes?.row?.dueAtMs, changes?.row?.changes], ["none", 10_001, 0]);
    assert.deepEqual(changes?.notices, ["due"]);
    const timed = running({ dueAtMs: 7_000, lastSeenAtMs: 6_000, timeoutMs: 8_500 });
    assert.equal(decideDue(fire(), timed, nobody).changes?.row?.dueAtMs, 10_500);
  });

  it("R6: does not count silence while nobody listened", () => {
    const { changes, result } = decideDue(fire({ silentSinceMs: 9_000 }), running({ dueAtMs: 7_000 }), nobody);
    assert.deepEqual([result, changes?.row?.dueAtMs], ["none", 14_000]);
    assert.equal(decideDue(fire({ silentSinceMs: 5_000 }), running({ dueAtMs: 7_000 }), nobody).result, "lost");
  });

  it("R6: never judges by silence what is launched or held, nor anything if it is switched off", () => {
    const launched = decideDue(fire(), running({ dueAtMs: 7_000 }), { ...nobody, launched: true });
    assert.deepEqual([launched.result, launched.changes?.row?.dueAtMs], ["none", 15_000]);
    const timed = decideDue(fire(), running({ dueAtMs: 7_000, timeoutMs: 9_000 }), { ...nobody, launched: true });
    assert.equal(timed.changes?.row?.dueAtMs, 11_000);
    const off = decideDue(fire({ staleAfterMs: 0 }), running({ dueAtMs: 7_000 }), nobody);
    assert.deepEqual([off.result, off.changes?.row?.dueAtMs], ["none", null]);
    const held = decideDue(fire(), running({ dueAtMs: 7_000, holder: "w" }), { ...nobody, holderLeaseUntilMs: 9_000 });
    assert.deepEqual([held.result, held.changes?.row?.dueAtMs], ["none", null]);
  });

  it("I8: hands back what its holder left long ago, fenced, with a pending cancel for the next worker", () => {
    const before = running({ holder: "w", claimSequence: 2, pendingSignal: "cancel" });
    const nowMs = 3_000 + limits.leaseGraceMs;
    const { changes, result } = decideDue(fire({ nowMs }), before, { ...nobody, holderLeaseUntilMs: 3_000 });
    assert.equal(result, "abandoned");
    const after = changes?.row;
    assert.deepEqual(
      [after?.status, after?.reason, after?.epoch, after?.readyAtMs],
      ["suspended", "handedBack", 4, nowMs],
    );
    assert.deepEqual([after?.pendingSignal, changes?.lostBy], ["cancel", "w"]);
    const early = decideDue(fire({ nowMs: nowMs - 1 }), before, { ...nobody, holderLeaseUntilMs: 3_000 });
    assert.deepEqual(early, { result: "none", changes: undefined });
  });

  it("looks at nothing that does not run", () => {
    assert.deepEqual(decideDue(fire(), suspended("sleeping"), nobody), { result: "none", changes: undefined });
    assert.deepEqual(decideDue(fire(), ended(), nobody), { result: "none", changes: undefined });
    assert.equal(decideDue(fire(), ended({ dueAtMs: 1 }), nobody).changes?.row?.dueAtMs, null);
  });
});
