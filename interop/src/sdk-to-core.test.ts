// SPDX-License-Identifier: AGPL-3.0-or-later
// A program on the original's SDK (src/bin/sdk-driver.rs) runs against our core. What it caused is read from the store.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before } from "node:test";
import { type CoreServer, startCore } from "@runtara/core/server";
import { type Instance, openStore, type SignalType, type Store, type StoredEvent } from "@runtara/store";
import { hex, utf8 } from "./bytes.ts";
import { cell } from "./cell.ts";
import { temporaryFolder } from "./folder.ts";
import { DriverPeer } from "./peer.ts";

const direction = "sdkToOurCore";
let folder: string;
let store: Store;
let core: CoreServer;

before(async () => {
  folder = temporaryFolder();
  store = await openStore(`sqlite:${join(folder, "core.db")}`);
  core = await startCore({ store, bindAddr: "127.0.0.1:0" });
});
after(async () => {
  await core.close();
  await store.close();
});

/** A program that has connected and registered as `instanceId`. */
async function program(instanceId: string, ...options: string[]): Promise<DriverPeer> {
  const sdk = new DriverPeer("sdk-driver", core.address, instanceId, "tenant", ...options);
  await sdk.ok({ call: "init" });
  return sdk;
}

async function stored(instanceId: string): Promise<Instance> {
  const found = await store.run({ kind: "readInstance", instanceId });
  assert.equal(found.outcome, "found");
  return found.instance;
}

/** Newest first. */
async function events(instanceId: string): Promise<readonly StoredEvent[]> {
  const page = await store.run({ kind: "listEvents", instanceId, limit: 100 });
  assert.equal(page.outcome, "page");
  return page.events;
}

/** Oldest first. */
async function retriesOf(instanceId: string, checkpointId: string) {
  const page = await store.run({ kind: "listHistory", instanceId, limit: 100, bytesMax: 0 });
  assert.equal(page.outcome, "page");
  const retries = page.entries.filter((entry) => entry.kind === "retry");
  return retries.filter((retry) => retry.checkpointId === checkpointId);
}

async function signal(instanceId: string, type: SignalType, payload: string): Promise<void> {
  const rest = { payload: utf8(payload), nowMs: Date.now() };
  const sent = await store.run({ kind: "sendSignal", instanceId, signal: type, ...rest });
  assert.equal(sent.outcome, "sent");
}

async function customSignal(instanceId: string, checkpointId: string, payload: string): Promise<void> {
  const rest = { payload: utf8(payload), nowMs: Date.now() };
  const sent = await store.run({ kind: "sendCustomSignal", instanceId, name: checkpointId, queued: false, ...rest });
  assert.equal(sent.outcome, "sent");
}

async function statusOf(sdk: DriverPeer): Promise<Record<string, unknown>> {
  return await sdk.ok({ call: "get_status" });
}

cell(direction, "connect", async () => {
  await using sdk = new DriverPeer("sdk-driver", core.address, "connect", "tenant");
  await sdk.ok({ call: "attach" });
  assert.equal(await sdk.ok({ call: "is_connected" }), false);
  await sdk.ok({ call: "connect" });
  assert.equal(await sdk.ok({ call: "is_connected" }), true);
  assert.equal((await store.run({ kind: "readInstance", instanceId: "connect" })).outcome, "unknownInstance");
});

cell(direction, "register instance", async () => {
  await using sdk = await program("register");
  assert.equal(await sdk.ok({ call: "is_registered" }), true);
  const row = await stored("register");
  assert.deepEqual([row.status, row.tenantId, row.epoch], ["running", "tenant", 1]);
  assert.deepEqual(
    (await events("register")).map((event) => event.type),
    ["started"],
  );
  await sdk.ok({ call: "checkpoint", id: "known", state: "01" });
  await sdk.ok({ call: "register", checkpointId: "known" });
  assert.equal((await stored("register")).epoch, 2);
});

cell(direction, "registration refused", async () => {
  await using sdk = await program("refused");
  const missing = await sdk.fails({ call: "register", checkpointId: "nowhere" });
  assert.deepEqual(missing, { kind: "Registration", text: "registration failed: Checkpoint 'nowhere' not found" });
  await using nobody = new DriverPeer("sdk-driver", core.address, "", "tenant");
  const empty = await nobody.fails({ call: "init" });
  assert.deepEqual(empty, { kind: "Registration", text: "registration failed: instance_id is required" });
  await using homeless = new DriverPeer("sdk-driver", core.address, "homeless", "");
  const tenant = await homeless.fails({ call: "init" });
  assert.deepEqual(tenant, { kind: "Registration", text: "registration failed: tenant_id is required" });
});

cell(direction, "checkpoint saved", async () => {
  await using sdk = await program("save");
  const saved = await sdk.ok<Record<string, unknown>>({ call: "checkpoint", id: "é/1", state: "00ff0a" });
  assert.deepEqual([saved.found, saved.state, saved.existingState], [false, "", null]);
  assert.deepEqual([saved.shouldExit, saved.pendingSignal, saved.customSignal], [false, null, null]);
  const found = await store.run({ kind: "loadCheckpoint", instanceId: "save", checkpointId: "é/1" });
  assert.equal(found.outcome, "found");
  assert.equal(hex(found.state), "00ff0a");
  assert.equal((await stored("save")).checkpointId, "é/1");
});

cell(direction, "checkpoint found", async () => {
  await using sdk = await program("found");
  await sdk.ok({ call: "checkpoint", id: "a", state: "01" });
  const again = await sdk.ok<Record<string, unknown>>({ call: "checkpoint", id: "a", state: "02" });
  assert.deepEqual([again.found, again.state, again.existingState], [true, "01", "01"]);
  await sdk.ok({ call: "checkpoint", id: "empty", state: "" });
  const empty = await sdk.ok<Record<string, unknown>>({ call: "checkpoint", id: "empty", state: "02" });
  assert.deepEqual([empty.found, empty.existingState], [true, ""]);
});

cell(direction, "get checkpoint", async () => {
  await using sdk = await program("get");
  assert.equal(await sdk.ok({ call: "get_checkpoint", id: "a" }), null);
  await sdk.ok({ call: "checkpoint", id: "a", state: "0102" });
  assert.equal(await sdk.ok({ call: "get_checkpoint", id: "a" }), "0102");
});

cell(direction, "sleep", async () => {
  await using sdk = await program("sleep");
  const begun = performance.now();
  await sdk.ok({ call: "sleep", id: "nap", ms: 200, state: "01" });
  assert.ok(performance.now() - begun >= 199, "answered early");
  assert.equal((await statusOf(sdk)).status, "running");
  assert.equal(await sdk.ok({ call: "get_checkpoint", id: "nap" }), null);
});

cell(direction, "event: heartbeat", async () => {
  await using sdk = await program("heartbeat", "--heartbeat-ms", "20");
  await sdk.ok({ call: "heartbeat" });
  // The background task sends more of its own accord, also while the program is busy elsewhere.
  while ((await events("heartbeat")).filter((event) => event.type === "heartbeat").length < 3) {
    await sdk.ok({ call: "get_status" });
  }
});

cell(direction, "event: custom", async () => {
  await using sdk = await program("custom");
  await sdk.ok({ call: "custom_event", subtype: "workflow_log", payload: hex('{"a":1}') });
  const [event] = await events("custom");
  assert.deepEqual([event?.type, event?.subtype], ["custom", "workflow_log"]);
  assert.equal(hex(event?.payload ?? ""), hex('{"a":1}'));
  assert.equal((await statusOf(sdk)).status, "running");
});

cell(direction, "event: completed", async () => {
  await using sdk = await program("completed");
  await sdk.ok({ call: "completed", output: hex('{"sum":18446744073709551615}') });
  const status = await statusOf(sdk);
  assert.deepEqual([status.status, status.output], ["completed", hex('{"sum":18446744073709551615}')]);
  const refused = await sdk.fails({ call: "checkpoint", id: "late", state: "01" });
  assert.equal(refused.kind, "Server");
  assert.match(refused.text, /^server error: CHECKPOINT_ERROR - .*'running'.*'completed'/);
});

cell(direction, "event: failed", async () => {
  await using sdk = await program("failed");
  await sdk.ok({ call: "failed", error: "no more paper" });
  const status = await statusOf(sdk);
  assert.deepEqual([status.status, status.error, status.output], ["failed", "no more paper", null]);
});

cell(direction, "event: suspended", async () => {
  await using sdk = await program("suspended");
  await sdk.ok({ call: "checkpoint", id: "a", state: "01" });
  await sdk.ok({ call: "suspended" });
  assert.equal((await statusOf(sdk)).status, "suspended");
  await sdk.ok({ call: "register" });
  const again = await sdk.ok<Record<string, unknown>>({ call: "checkpoint", id: "a", state: "02" });
  assert.deepEqual([again.found, again.state], [true, "01"]);
});

cell(direction, "poll signals", async () => {
  await using sdk = await program("poll");
  assert.equal(await sdk.ok({ call: "poll_signal_now" }), null);
  await signal("poll", "resume", "go on");
  const expected = { type: "resume", payload: hex("go on"), checkpointId: null };
  assert.deepEqual(await sdk.ok({ call: "poll_signal_now" }), expected);
  assert.deepEqual(await sdk.ok({ call: "poll_signal_now" }), expected, "delivered until acknowledged");
});

cell(direction, "signal with a checkpoint", async () => {
  await using sdk = await program("with");
  await signal("with", "pause", "later");
  const saved = await sdk.ok<Record<string, unknown>>({ call: "checkpoint", id: "a", state: "01" });
  assert.deepEqual(saved.pendingSignal, { type: "pause", payload: hex("later"), checkpointId: null });
  assert.deepEqual([saved.shouldPause, saved.shouldCancel, saved.shouldExit], [true, false, true]);
});

cell(direction, "custom signal", async () => {
  await using sdk = await program("named");
  await customSignal("named", "approved", '{"by":"kim"}');
  const other = await sdk.ok<Record<string, unknown>>({ call: "checkpoint", id: "other", state: "01" });
  assert.equal(other.customSignal, null);
  const saved = await sdk.ok<Record<string, unknown>>({ call: "checkpoint", id: "approved", state: "01" });
  assert.deepEqual(saved.customSignal, { checkpointId: "approved", payload: hex('{"by":"kim"}') });
  assert.equal(saved.shouldExit, false);
  const again = await sdk.ok<Record<string, unknown>>({ call: "checkpoint", id: "approved", state: "01" });
  assert.equal(again.customSignal, null, "gone with the answer");
});

/** The SDK asks the server once per poll interval (a millisecond here), so the first call after a signal may still succeed. */
async function firstError(sdk: DriverPeer, call: string): Promise<unknown> {
  for (;;) {
    const { error } = await sdk.try({ call });
    if (error !== undefined) return error;
  }
}

cell(direction, "check cancelled", async () => {
  await using sdk = await program("cancel");
  await sdk.ok({ call: "check_cancelled" });
  await signal("cancel", "cancel", "");
  assert.deepEqual(await firstError(sdk, "check_cancelled"), { kind: "Cancelled", text: "instance cancelled" });
});

cell(direction, "check paused", async () => {
  await using sdk = await program("pause");
  await sdk.ok({ call: "check_paused" });
  await signal("pause", "pause", "");
  assert.deepEqual(await firstError(sdk, "check_paused"), { kind: "Paused", text: "instance paused" });
});

cell(direction, "signal acknowledged", async () => {
  await using sdk = await program("ack");
  await signal("ack", "pause", "");
  await sdk.ok({ call: "acknowledge_signal", type: "pause", acknowledged: true });
  // Fire and forget: the program can't know when it arrives, only see that the signal is gone.
  while ((await sdk.ok({ call: "poll_signal_now" })) !== null);
  assert.equal((await stored("ack")).status, "running");
  await signal("ack", "cancel", "");
  await sdk.ok({ call: "acknowledge_signal", type: "cancel", acknowledged: true });
  while ((await statusOf(sdk)).status !== "cancelled");
  assert.equal(await sdk.ok({ call: "poll_signal_now" }), null);
  assert.notEqual((await stored("ack")).finishedAtMs, null);
});

cell(direction, "retry attempt", async () => {
  await using sdk = await program("retry");
  await sdk.ok({ call: "record_retry_attempt", id: "charge", attempt: 2, error: "timed out" });
  while ((await retriesOf("retry", "charge")).length === 0) await sdk.ok({ call: "heartbeat" });
  const [retry] = await retriesOf("retry", "charge");
  assert.deepEqual([retry?.attempt, retry?.error], [2, "timed out"]);
});

cell(direction, "instance status", async () => {
  await using sdk = await program("status");
  await sdk.ok({ call: "checkpoint", id: "last", state: "01" });
  const expected = { found: true, status: "running", checkpointId: "last", output: null, error: null };
  assert.deepEqual(await statusOf(sdk), expected);
  await using other = await program("status-2");
  assert.deepEqual(await other.ok({ call: "get_instance_status", id: "status" }), expected);
});

cell(direction, "status of an unknown id", async () => {
  await using sdk = await program("status-3");
  const status = await sdk.ok<Record<string, unknown>>({ call: "get_instance_status", id: "nobody" });
  assert.deepEqual([status.status, status.error], ["unknown", "Instance not found"]);
});

cell(direction, "error answer", async () => {
  await using sdk = new DriverPeer("sdk-driver", core.address, "stranger", "tenant");
  await sdk.ok({ call: "attach" });
  const expected = { kind: "Server", text: "server error: CHECKPOINT_ERROR - Instance 'stranger' not found" };
  assert.deepEqual(await sdk.fails({ call: "checkpoint", id: "a", state: "01" }), expected);
  const get = await sdk.fails({ call: "get_checkpoint", id: "a" });
  assert.equal(get.text, "server error: GET_CHECKPOINT_ERROR - Instance 'stranger' not found");
  assert.match((await sdk.fails({ call: "heartbeat" })).text, /^server error: INSTANCE_EVENT_ERROR - /);
});

cell(direction, "durable function", async () => {
  const call = { call: "durable", key: "order-7", fails: 0, retries: false };
  {
    await using sdk = await program("durable");
    assert.deepEqual(await sdk.ok(call), { key: "order-7", execution: 1 });
    assert.deepEqual(await sdk.ok(call), { key: "order-7", execution: 1 });
  }
  const found = await store.run({
    kind: "loadCheckpoint",
    instanceId: "durable",
    checkpointId: "durable::once::order-7",
  });
  assert.equal(found.outcome, "found");
  assert.equal(Buffer.from(found.state).toString(), '{"key":"order-7","execution":1}');
  // Another process with the same id takes the stored value: its own body never runs, or it would fail.
  await using next = await program("durable");
  assert.deepEqual(await next.ok({ ...call, fails: 9 }), { key: "order-7", execution: 1 });
});

cell(direction, "durable function, retried", async () => {
  await using sdk = await program("flaky");
  const call = { call: "durable", key: "k", fails: 3, retries: true };
  assert.deepEqual(await sdk.ok(call), { key: "k", execution: 4 });
  const retries = await retriesOf("flaky", "durable::flaky::k");
  assert.deepEqual(
    retries.map((retry) => [retry.attempt, retry.error]),
    [2, 3, 4].map((attempt) => [attempt, `execution ${attempt - 1} fails as asked`]),
  );
  const failing = await sdk.fails({ call: "durable", key: "never", fails: 9, retries: true });
  assert.equal(failing.text, "execution 4 fails as asked");
  assert.equal(await sdk.ok({ call: "get_checkpoint", id: "durable::flaky::never" }), null);
});

cell(direction, "60 MiB in a frame", async () => {
  await using sdk = await program("big");
  const stateBytes = 60 * 1024 * 1024;
  const saved = await sdk.ok<Record<string, unknown>>({ call: "checkpoint_big", id: "big", stateBytes });
  assert.deepEqual(saved, { found: false, bytes: 0, intact: false });
  const found = await sdk.ok<Record<string, unknown>>({ call: "checkpoint_big", id: "big", stateBytes });
  assert.deepEqual(found, { found: true, bytes: stateBytes, intact: true });
});

cell(direction, "connection closed by the client", async () => {
  await using sdk = await program("close");
  await sdk.ok({ call: "close" });
  assert.equal(await sdk.ok({ call: "is_connected" }), false);
  // The next call connects again; the registration is still good.
  await sdk.ok({ call: "checkpoint", id: "a", state: "01" });
});

cell(direction, "server started again", async () => {
  await using sdk = await program("restart");
  await sdk.ok({ call: "checkpoint", id: "before", state: "01" });
  const { address } = core;
  await core.close();
  core = await startCore({ store, bindAddr: address });
  assert.equal(await sdk.ok({ call: "get_checkpoint", id: "before" }), "01");
  await sdk.ok({ call: "checkpoint", id: "after", state: "02" });
});
