import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, onEachEngine } from "../testing/test-core.ts";
import type { EventRequest, EventResponse, StatusResponse } from "./index.ts";

onEachEngine((t) => {
  const event = (type: EventRequest["type"], payload = "", more: Partial<EventRequest> = {}) =>
    t.outcome<EventResponse>((answer) =>
      t.core.events.append({ instanceId: "i", type, payload: bytes(payload), timestampMs: 7, ...more }, answer),
    );
  const status = (instanceId = "i") => t.outcome<StatusResponse>((answer) => t.core.status.read(instanceId, answer));
  const listed = async () => {
    const result = await t.store.run({ kind: "listEvents", instanceId: "i", limit: 20 });
    assert.ok(result.outcome === "page");
    return result.events;
  };

  test("reports end an instance with output or error, and their time", async () => {
    await t.register("i");
    t.nowMs = 2_000;
    assert.deepEqual(await event("completed", "out"), { ended: true });
    assert.deepEqual(await status(), {
      instanceId: "i",
      status: "completed",
      checkpointId: undefined,
      startedAtMs: 1_000,
      finishedAtMs: 2_000,
      output: bytes("out"),
      error: undefined,
    });
  });

  test("the error text of a failure", async () => {
    const texts: [payload: Uint8Array, error: string][] = [
      [bytes("boom"), "boom"],
      [bytes(""), "Unknown error"],
      [Uint8Array.of(0xff, 0xfe), "Unknown error (binary payload)"],
      [bytes("a\0b"), "a\u{FFFD}b"],
      [bytes("\u{FEFF}bom"), "\u{FEFF}bom"],
    ];
    for (const [n, [payload, error]] of texts.entries()) {
      const instanceId = `i${n}`;
      await t.register(instanceId);
      await event("failed", "", { instanceId, payload });
      const seen = await status(instanceId);
      assert.ok(typeof seen !== "string");
      assert.deepEqual([seen.status, seen.error, seen.output], ["failed", error, undefined]);
    }
  });

  test("I4: the first end stays; later events are stored and answered all the same", async () => {
    await t.register("i");
    await event("failed", "first");
    for (const type of ["completed", "failed", "suspended", "heartbeat"] as const) {
      assert.deepEqual(await event(type, "later"), { ended: true });
    }
    const seen = await status();
    assert.ok(typeof seen !== "string");
    assert.deepEqual([seen.status, seen.error], ["failed", "first"]);
    const events = await listed();
    assert.equal(events.length, 6);
  });

  test("suspending with a cancel unacknowledged ends as cancelled", async () => {
    await t.register("i");
    await t.store.run({ kind: "sendSignal", instanceId: "i", signal: "cancel", nowMs: t.nowMs });
    await event("suspended");
    const seen = await status();
    assert.ok(typeof seen !== "string");
    assert.deepEqual([seen.status, seen.finishedAtMs], ["cancelled", 1_000]);
  });

  test("events are validated before anything is stored", async () => {
    const empty = await event("completed", "", { instanceId: "" });
    assert.equal(empty, "VALIDATION_ERROR: Validation error for 'instance_id': instance_id is required");
    assert.equal(await event("completed"), "INSTANCE_NOT_FOUND: Instance 'i' not found");
    await t.register("i");
    assert.match(String(await event("custom", "", { subtype: "a\0" })), /^VALIDATION_ERROR: .*'subtype'/);
    assert.match(String(await event("custom", "", { checkpointId: "a\0" })), /^VALIDATION_ERROR: .*'checkpoint_id'/);
    const events = await listed();
    assert.deepEqual(
      events.map(({ type }) => type),
      ["started"],
    );
  });

  test("the client's time is kept inside the calendar and replaced by ours outside of it", async () => {
    await t.register("i");
    const times: [sent: number, kept: number][] = [
      [0, 0],
      [-1, -1],
      [-210_866_803_200_000, -210_866_803_200_000],
      [-210_866_803_200_001, 1_000],
      [8_210_266_876_799_999, 8_210_266_876_799_999],
      [8_210_266_876_800_000, 1_000],
      [9.2e18, 1_000],
      [-9.2e18, 1_000],
    ];
    for (const [timestampMs, kept] of times) {
      await event("custom", "", { timestampMs, subtype: String(timestampMs) });
      const events = await listed();
      assert.equal(events.find(({ subtype }) => subtype === String(timestampMs))?.createdAtMs, kept);
    }
  });

  test("an empty payload is stored as none", async () => {
    await t.register("i");
    await event("completed");
    const seen = await status();
    assert.ok(typeof seen !== "string");
    assert.equal(seen.output, undefined);
    const events = await listed();
    assert.equal(events[0]?.payload ?? null, null);
  });

  test("an unknown instance has a status, not an error", async () => {
    assert.deepEqual(await status("nobody"), {
      instanceId: "nobody",
      status: "unknown",
      checkpointId: undefined,
      startedAtMs: 0,
      finishedAtMs: undefined,
      output: undefined,
      error: "Instance not found",
    });
  });
});
