import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, onEachEngine } from "../testing/test-core.ts";
import type { SuspendUntilResponse } from "./index.ts";

onEachEngine((t) => {
  /** What a suspension for the signal "go" answers, by now or later. */
  const suspend = (instanceId: string, core = t.core) =>
    t.outcome<SuspendUntilResponse>((answer) =>
      core.suspension.suspendUntil({ instanceId, epoch: 1, names: ["go"], afterSignalId: 0 }, answer),
    );

  test("I8: a signal that races with the suspension is answered with it or wakes it, through either of two cores", async () => {
    const other = await t.openOther();
    let answeredWithIt = 0;
    for (let round = 0; round < 30; round += 1) {
      const instanceId = `i${round}`;
      await t.start(instanceId);
      await t.register(instanceId);
      const signal = { instanceId, name: "go", payload: bytes("p"), queued: false, nowMs: t.nowMs };
      const send = () => t.store.run({ kind: "sendCustomSignal", ...signal });
      const [suspended] = await Promise.all(
        round % 2 === 0 ? [suspend(instanceId, other), send()] : [send().then(() => suspend(instanceId, other))],
      );
      assert.ok(typeof suspended !== "string", String(suspended));
      const read = await t.store.run({ kind: "readInstance", instanceId });
      assert.ok(read.outcome === "found");
      const { status, readyAtMs } = read.instance;
      if (suspended.suspended) {
        assert.deepEqual([status, readyAtMs], ["suspended", t.nowMs]);
      } else {
        answeredWithIt += 1;
        assert.deepEqual([status, suspended.queued.length], ["running", 1]);
      }
    }
    assert.ok(answeredWithIt >= 15, "what was there before is always answered");
  });

  test("only the process that has it may suspend it, and only while it runs", async () => {
    assert.equal(await suspend("i"), "INSTANCE_NOT_FOUND: Instance 'i' not found");
    await t.register("i");
    await t.register("i");
    const fenced = "Instance 'i' does not belong to this process any more (epoch 2, not 1); stop writing";
    assert.equal(await suspend("i"), `FENCED: ${fenced}`);
    assert.equal(await suspend(""), "VALIDATION_ERROR: Validation error for 'instance_id': instance_id is required");
  });
});
