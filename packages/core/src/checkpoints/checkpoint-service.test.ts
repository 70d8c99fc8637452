import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, onEachEngine } from "../testing/test-core.ts";
import type { CheckpointResponse, GetCheckpointResponse, OwnCheckpointsResponse } from "./index.ts";

onEachEngine((t) => {
  const save = (checkpointId: string, state: string, instanceId = "i") =>
    t.outcome<CheckpointResponse>((answer) =>
      t.core.checkpoints.save({ instanceId, checkpointId, state: bytes(state) }, answer),
    );
  const get = (checkpointId: string, instanceId = "i") =>
    t.outcome<GetCheckpointResponse>((answer) => t.core.checkpoints.get({ instanceId, checkpointId }, answer));

  test("I3: save or return", async () => {
    await t.register("i");
    const nothing = { signal: undefined, custom: undefined };
    assert.deepEqual(await save("a", "one"), { found: false, state: bytes(""), ...nothing });
    assert.deepEqual(await save("a", "two"), { found: true, state: bytes("one"), ...nothing });
    assert.deepEqual(await get("a"), { found: true, state: bytes("one") });
    assert.deepEqual(await get("b"), { found: false, state: bytes("") });
  });

  test("unknown instances, other statuses and ids that no engine holds are refused", async () => {
    assert.equal(await save("a", "x"), "INSTANCE_NOT_FOUND: Instance 'i' not found");
    assert.equal(await get("a"), "INSTANCE_NOT_FOUND: Instance 'i' not found");
    await t.start("i");
    assert.equal(
      await save("a", "x"),
      "INVALID_INSTANCE_STATE: Instance 'i' is in invalid state: expected 'running', got 'pending'",
    );
    assert.match(String(await save("a\0", "x")), /^VALIDATION_ERROR: .*checkpoint_id must not contain U\+0000$/);
    assert.match(String(await save("a".repeat(2_705), "x")), /has 2705 bytes; at most 2704 are allowed$/);
  });

  test("a checkpoint carries both kinds of signal", async () => {
    await t.register("i");
    const to = { instanceId: "i", nowMs: t.nowMs };
    await t.store.run({ kind: "sendSignal", ...to, signal: "pause", payload: bytes("p") });
    await t.store.run({ kind: "sendCustomSignal", ...to, name: "a", payload: bytes("c"), queued: false });
    const saved = await save("a", "x");
    assert.ok(typeof saved !== "string");
    assert.deepEqual(saved.signal, { type: "pause", payload: bytes("p") });
    assert.deepEqual(saved.custom, { checkpointId: "a", payload: bytes("c") });
  });

  test("retry numbers wrap to signed 32 bits, and their records are found without a state", async () => {
    await t.register("i");
    const record = (attempt: number, instanceId = "i") =>
      t.outcome<void>((answer) =>
        t.core.checkpoints.recordRetry({ instanceId, checkpointId: "k", attempt, error: "e\0" }, answer),
      );
    assert.equal(await record(4_294_967_295), undefined);
    assert.deepEqual(await get("k::retry::-1"), { found: true, state: bytes("") });
    const page = await t.outcome<OwnCheckpointsResponse>((answer) =>
      t.core.ownCheckpoints.list({ instanceId: "i", epoch: 1, prefix: "", pageBytesMax: 0 }, answer),
    );
    assert.ok(typeof page !== "string");
    assert.deepEqual(page.retries, [
      { checkpointId: "k", attempt: -1, error: "e\u{FFFD}", createdAtMs: 1_000, nextAtMs: null },
    ]);
    assert.equal(await record(1, "nobody"), "INSTANCE_NOT_FOUND: Instance 'nobody' not found");
  });

  test("a store that fails is told with the texts of the protocol", async () => {
    await t.register("i");
    await t.store.close();
    const reason = await t.store.run({ kind: "checkHealth" }).then(String, ({ message }: Error) => message);
    assert.equal(await save("a", "x"), `CHECKPOINT_SAVE_FAILED: Failed to save checkpoint for instance 'i': ${reason}`);
    assert.equal(await get("a"), `DATABASE_ERROR: Database error during 'query': ${reason}`);
    const registered = await t.outcome((answer) =>
      t.core.registration.register({ instanceId: "i", tenantId: "t" }, answer),
    );
    assert.deepEqual(registered, {
      success: false,
      error: `Failed to create instance: Database error during 'query': ${reason}`,
      code: "DATABASE_ERROR",
      repeatable: "always",
    });
  });
});
