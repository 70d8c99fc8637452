import assert from "node:assert/strict";
import { test } from "node:test";
import type { SignalType } from "@runtara/store";
import { bytes, onEachEngine } from "../testing/test-core.ts";
import type { Acknowledged, PollSignalsResponse } from "./index.ts";

onEachEngine((t) => {
  const send = async (signal: SignalType, instanceId = "i") => {
    const sent = { kind: "sendSignal", instanceId, signal, payload: bytes("why"), nowMs: t.nowMs } as const;
    return (await t.store.run(sent)).outcome;
  };
  const acknowledge = (signal: SignalType | undefined, acknowledged = true) =>
    t.outcome<Acknowledged>((answer) => t.core.signals.acknowledge({ instanceId: "i", signal, acknowledged }, answer));
  const poll = () => t.outcome<PollSignalsResponse>((answer) => t.core.signals.poll({ instanceId: "i" }, answer));
  const isPending = async () => {
    const polled = await poll();
    return typeof polled === "string" ? polled : polled.signal?.type;
  };

  test("I6: poll, acknowledge, and the cancel ends the instance with a time", async () => {
    await t.register("i");
    assert.equal(await send("cancel"), "sent");
    assert.equal(await t.status("i"), "running");
    assert.equal(await isPending(), "cancel");
    assert.deepEqual(await acknowledge("cancel", false), { ended: false });
    assert.equal(await isPending(), "cancel");
    assert.deepEqual(await acknowledge("cancel"), { ended: true });
    assert.equal(await isPending(), undefined);
    assert.equal(await t.status("i"), "cancelled");
  });

  test("I6: acknowledging another type or one that does not exist changes nothing", async () => {
    await t.register("i");
    await send("pause");
    assert.equal(
      await acknowledge("cancel"),
      "VALIDATION_ERROR: Validation error for 'signal_type': cancel was acknowledged while pause is pending",
    );
    assert.match(String(await acknowledge(undefined)), /^VALIDATION_ERROR: .*must be CANCEL, PAUSE or RESUME$/);
    assert.equal(await isPending(), "pause");
    assert.equal(await t.status("i"), "running");
  });

  test("acknowledging with nothing pending does nothing, for unknown instances it is an error for the log", async () => {
    assert.equal(await acknowledge("cancel"), "INSTANCE_NOT_FOUND: Instance 'i' not found");
    await t.register("i");
    assert.deepEqual(await acknowledge("cancel"), { ended: false });
    assert.equal(await t.status("i"), "running");
  });

  test("I6: a cancel ends a pending instance at once, and is not replaced", async () => {
    await t.start("i");
    assert.equal(await send("cancel"), "sent");
    assert.equal(await t.status("i"), "cancelled");
    await t.register("running");
    await send("cancel", "running");
    assert.equal(await send("resume", "running"), "cancelKept");
    const polled = await t.outcome<PollSignalsResponse>((answer) =>
      t.core.signals.poll({ instanceId: "running" }, answer),
    );
    assert.ok(typeof polled !== "string");
    assert.equal(polled.signal?.type, "cancel");
  });

  test("custom signals reach whoever asks with their id, once", async () => {
    await t.register("i");
    const custom = { instanceId: "i", name: "c", payload: bytes("p"), queued: false, nowMs: t.nowMs };
    await t.store.run({ kind: "sendCustomSignal", ...custom });
    const pollFor = (checkpointId: string) =>
      t.outcome<PollSignalsResponse>((answer) => t.core.signals.poll({ instanceId: "i", checkpointId }, answer));
    const first = await pollFor("c");
    assert.ok(typeof first !== "string");
    assert.deepEqual(first.custom, { checkpointId: "c", payload: bytes("p") });
    const second = await pollFor("c");
    assert.ok(typeof second !== "string");
    assert.equal(second.custom, undefined);
  });

  test("polling an unknown instance finds nothing", async () => {
    assert.deepEqual(await poll(), { signal: undefined, custom: undefined });
  });
});
