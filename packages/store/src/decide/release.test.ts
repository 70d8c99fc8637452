import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ReleaseWork } from "../operations/index.ts";
import { decideRelease } from "./release.ts";
import { bytes, ended, running, suspended } from "./rows.test.helper.ts";

const operation: ReleaseWork = { kind: "releaseWork", workerId: "w", work: [], nowMs: 3_000 };

function work(over: Partial<ReleaseWork["work"][number]> = {}): ReleaseWork["work"][number] {
  return { instanceId: "i", epoch: 3, handBack: true, delayMs: 200, reason: "", ...over };
}

describe("decideRelease", () => {
  it("makes what the worker runs claimable after the delay, a pending cancel with it", () => {
    for (const handBack of [true, false]) {
      const before = running({ holder: "w", claimSequence: 1, pendingSignal: "cancel" });
      const changes = decideRelease(operation, work({ handBack }), before);
      const after = changes?.row;
      assert.deepEqual(
        [after?.status, after?.reason, after?.readyAtMs, after?.epoch],
        ["suspended", "handedBack", 3_200, 3],
      );
      assert.deepEqual([after?.holder, after?.usedMs, after?.pendingSignal], [null, 1_000, "cancel"]);
      assert.deepEqual([changes?.lossForgottenBy, changes?.lostBy, changes?.events], ["w", undefined, undefined]);
    }
  });

  it("notes a reason", () => {
    const changes = decideRelease(operation, work({ reason: "draining" }), running({ holder: "w" }));
    assert.equal(changes?.row?.reasonText, "draining");
    assert.deepEqual(
      changes?.events?.map(({ type, subtype, payload }) => [type, subtype, payload]),
      [["custom", "released", bytes("draining")]],
    );
  });

  it("I5: forgets a loss, and no more, where another registration has the instance or the worker never had it", () => {
    for (const before of [
      running({ holder: "w", epoch: 4 }),
      running({ holder: "v" }),
      running(),
      suspended("sleeping", { readyAtMs: 9_000 }),
      ended(),
    ]) {
      assert.deepEqual(decideRelease(operation, work({ reason: "draining" }), before), {
        atMs: 3_000,
        lossForgottenBy: "w",
      });
    }
    assert.equal(decideRelease(operation, work(), undefined), undefined);
  });

  it("clears a holder that is left from before", () => {
    for (const before of [suspended(null, { holder: "w" }), ended({ holder: "w" })]) {
      const after = decideRelease(operation, work(), before)?.row;
      assert.deepEqual([after?.status, after?.holder, after?.readyAtMs], [before.status, null, null]);
    }
  });
});
