import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { limits } from "../limits.ts";
import { ended, running, suspended } from "./rows.test.helper.ts";
import { decideTouch } from "./touch.ts";

describe("decideTouch", () => {
  it("notes a sign of life where the last note is old", () => {
    const atMs = 2_000 + limits.touchEveryMs;
    const before = running();
    assert.deepEqual(decideTouch({ instanceId: "i", atMs }, before), { atMs, row: { ...before, lastSeenAtMs: atMs } });
    assert.equal(decideTouch({ instanceId: "i", epoch: 3, atMs }, before)?.row?.lastSeenAtMs, atMs);
    assert.equal(decideTouch({ instanceId: "i", atMs }, running({ lastSeenAtMs: null }))?.row?.lastSeenAtMs, atMs);
    assert.equal(decideTouch({ instanceId: "i", atMs: atMs - 1 }, before), undefined);
    assert.equal(decideTouch({ instanceId: "i", atMs: 1 }, before), undefined);
  });

  it("skips what is unknown, does not run, or is another process's by now", () => {
    for (const before of [undefined, suspended(null), ended()]) {
      assert.equal(decideTouch({ instanceId: "i", atMs: 99_999 }, before), undefined);
    }
    assert.equal(decideTouch({ instanceId: "i", epoch: 2, atMs: 99_999 }, running()), undefined);
  });
});
