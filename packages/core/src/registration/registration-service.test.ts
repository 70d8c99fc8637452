import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, onEachEngine } from "../testing/test-core.ts";
import type { RegisterResponse } from "./index.ts";

onEachEngine((t) => {
  const refused = (error: string, code = "VALIDATION_ERROR") => ({ success: false, error, code, repeatable: "never" });
  const register = async (instanceId: string, tenantId = "t", checkpointId?: string) => {
    const response = await t.outcome<RegisterResponse>((answer) =>
      t.core.registration.register({ instanceId, tenantId, checkpointId }, answer),
    );
    return typeof response !== "string" && response.success ? response.facts.epoch : response;
  };
  const complete = (instanceId: string) =>
    t.outcome((answer) =>
      t.core.events.append({ instanceId, type: "completed", payload: bytes("out"), timestampMs: 7 }, answer),
    );

  test("registration refuses in the order of the protocol, with its texts", async () => {
    const refusals: Record<string, string> = {
      "instance_id is required": "",
      "tenant_id is required": "i",
    };
    for (const [error, instanceId] of Object.entries(refusals)) {
      assert.deepEqual(await register(instanceId, "", "nope"), refused(error));
    }
    assert.deepEqual(await register("i", "t", "nope"), refused("Checkpoint 'nope' not found", "CHECKPOINT_NOT_FOUND"));
    assert.deepEqual(await register("i", "t", ""), refused("Checkpoint '' not found", "CHECKPOINT_NOT_FOUND"));
    assert.equal(await register("i", "t"), 1);
    assert.equal(await register("i", "another tenant"), 2);
  });

  test("I10: ids that no engine can hold are refused with field and limit", async () => {
    assert.deepEqual(
      await register("a\0"),
      refused("Validation error for 'instance_id': instance_id must not contain U+0000"),
    );
    assert.deepEqual(
      await register("é".repeat(1_353)),
      refused("Validation error for 'instance_id': instance_id has 2706 bytes; at most 2704 are allowed"),
    );
    assert.equal(await register("é".repeat(1_352)), 1);
  });

  test("I4: a finished instance cannot register", async () => {
    await register("i");
    await complete("i");
    assert.deepEqual(
      await register("i"),
      refused(
        "Instance 'i' is in invalid state: expected 'pending, running or suspended', got 'completed'",
        "INVALID_INSTANCE_STATE",
      ),
    );
  });
});
