// SPDX-License-Identifier: AGPL-3.0-or-later
// Our RuntaraSdk (the mirror of the Rust SDK) runs against the original core on SQLite.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before } from "node:test";
import { durable, RuntaraSdk, registerSdk } from "@runtara/sdk/raw";
import { hex, pattern, sameBytes, utf8 } from "./bytes.ts";
import { cell } from "./cell.ts";
import { temporaryFolder } from "./folder.ts";
import { OriginalDatabase, until } from "./original-database.ts";
import { ServerPeer } from "./peer.ts";

const direction = "ourSdkToCore";
let folder: string;
let core: ServerPeer;
let database: OriginalDatabase;

before(async () => {
  folder = temporaryFolder();
  const file = join(folder, "core.db");
  core = await ServerPeer.start("original-core", "127.0.0.1:0", file);
  database = new OriginalDatabase(file);
});
after(async () => {
  database[Symbol.dispose]();
  await core.stop();
});

function sdkOf(instanceId: string, tenantId = "tenant"): RuntaraSdk {
  const times = { signalPollIntervalMs: 1, heartbeatIntervalMs: 0 };
  return new RuntaraSdk({
    instanceId,
    tenantId,
    serverAddr: core.address,
    dangerouslySkipVerification: true,
    ...times,
  });
}

async function registered(instanceId: string): Promise<RuntaraSdk> {
  const sdk = sdkOf(instanceId);
  await sdk.register();
  return sdk;
}

cell(direction, "connect", async () => {
  await using sdk = sdkOf("connect");
  assert.equal(sdk.isConnected, false);
  await sdk.connect();
  assert.equal(sdk.isConnected, true);
  assert.equal(database.status("connect"), undefined);
});

cell(direction, "register instance", async () => {
  await using sdk = await registered("register");
  assert.equal(sdk.isRegistered, true);
  assert.equal(database.status("register"), "running");
  await sdk.checkpoint("known", utf8("1"));
  await sdk.register("known");
  assert.deepEqual(
    database.events("register").map((event) => event.event_type),
    ["started", "started"],
  );
});

cell(direction, "registration refused", async () => {
  await using sdk = sdkOf("refused");
  const refused = { code: "Registration", message: "registration failed: Checkpoint 'nowhere' not found" };
  await assert.rejects(sdk.register("nowhere"), refused);
  assert.equal(sdk.isRegistered, false);
  await using homeless = sdkOf("homeless", "");
  await assert.rejects(homeless.register(), { message: "registration failed: tenant_id is required" });
});

cell(direction, "checkpoint saved", async () => {
  await using sdk = await registered("save");
  const saved = await sdk.checkpoint("é/1", Uint8Array.of(0, 255, 10));
  assert.deepEqual([saved.found, saved.existingState, saved.shouldExit], [false, undefined, false]);
  assert.deepEqual([saved.pendingSignal, saved.customSignal], [undefined, undefined]);
  assert.deepEqual(database.checkpointIds("save"), ["é/1"]);
});

cell(direction, "checkpoint found", async () => {
  await using sdk = await registered("found");
  await sdk.checkpoint("a", Uint8Array.of(1, 255));
  const again = await sdk.checkpoint("a", Uint8Array.of(2));
  assert.deepEqual([again.found, hex(again.state), hex(again.existingState ?? "")], [true, "01ff", "01ff"]);
});

cell(direction, "get checkpoint", async () => {
  await using sdk = await registered("get");
  assert.equal(await sdk.getCheckpoint("a"), undefined);
  await sdk.checkpoint("a", Uint8Array.of(1, 2));
  assert.equal(hex((await sdk.getCheckpoint("a")) ?? ""), "0102");
});

cell(direction, "sleep", async () => {
  await using sdk = await registered("sleep");
  const begun = performance.now();
  await sdk.sleep(200, "nap", new Uint8Array());
  assert.ok(performance.now() - begun >= 199, "answered early");
});

cell(direction, "event: heartbeat", async () => {
  await using sdk = await registered("heartbeat");
  await sdk.heartbeat();
  assert.equal(database.events("heartbeat")[0]?.event_type, "heartbeat");
});

cell(direction, "event: custom", async () => {
  await using sdk = await registered("custom");
  await sdk.customEvent("workflow_log", utf8('{"a":1}'));
  const [event] = database.events("custom");
  assert.deepEqual([event?.event_type, event?.subtype], ["custom", "workflow_log"]);
  assert.equal(hex(event?.payload as Uint8Array), hex('{"a":1}'));
});

cell(direction, "event: completed", async () => {
  await using sdk = await registered("completed");
  await sdk.completed(utf8('{"n":1.0}'));
  const status = await sdk.getStatus();
  assert.deepEqual([status.found, status.status, hex(status.output ?? "")], [true, "completed", hex('{"n":1.0}')]);
  assert.ok(status.finishedAt instanceof Date);
  await assert.rejects(sdk.checkpoint("late", utf8("1")), {
    code: "Server",
    message: /CHECKPOINT_ERROR - .*'completed'/,
  });
});

cell(direction, "event: failed", async () => {
  await using sdk = await registered("failed");
  await sdk.failed("no more paper");
  const status = await sdk.getStatus();
  assert.deepEqual([status.status, status.error], ["failed", "no more paper"]);
});

cell(direction, "event: suspended", async () => {
  await using sdk = await registered("suspended");
  await sdk.suspended();
  assert.equal((await sdk.getStatus()).status, "suspended");
  await sdk.register();
  assert.equal((await sdk.getStatus()).status, "running");
});

cell(direction, "poll signals", async () => {
  await using sdk = await registered("poll");
  assert.equal(await sdk.pollSignalNow(), undefined);
  database.putSignal("poll", "resume", "go on");
  const signal = await sdk.pollSignalNow();
  assert.deepEqual([signal?.signalType, hex(signal?.payload ?? "")], ["resume", hex("go on")]);
});

cell(direction, "signal with a checkpoint", async () => {
  await using sdk = await registered("with");
  database.putSignal("with", "pause", "later");
  const saved = await sdk.checkpoint("a", utf8("1"));
  assert.deepEqual([saved.pendingSignal?.signalType, hex(saved.pendingSignal?.payload ?? "")], ["pause", hex("later")]);
  assert.deepEqual([saved.shouldPause, saved.shouldCancel, saved.shouldExit], [true, false, true]);
});

cell(direction, "custom signal", async () => {
  await using sdk = await registered("named");
  database.putCustomSignal("named", "approved", "kim");
  const saved = await sdk.checkpoint("approved", utf8("1"));
  assert.deepEqual(
    [saved.customSignal?.checkpointId, hex(saved.customSignal?.payload ?? "")],
    ["approved", hex("kim")],
  );
  assert.equal((await sdk.checkpoint("approved", utf8("1"))).customSignal, undefined);
  database.putCustomSignal("named", "again", "lee");
  assert.equal(hex((await sdk.pollCustomSignal("again")) ?? ""), hex("lee"));
  assert.equal(await sdk.pollCustomSignal("again"), undefined);
});

cell(direction, "check cancelled", async () => {
  await using sdk = await registered("cancel");
  await sdk.checkCancelled();
  database.putSignal("cancel", "cancel", "");
  const cancelled = { code: "Cancelled", message: "instance cancelled" };
  await assert.rejects(async () => {
    for (;;) await sdk.checkCancelled();
  }, cancelled);
  await assert.rejects(sdk.checkCancelled(), cancelled);
});

cell(direction, "check paused", async () => {
  await using sdk = await registered("pause");
  await sdk.checkPaused();
  database.putSignal("pause", "pause", "");
  await assert.rejects(
    async () => {
      for (;;) await sdk.checkPaused();
    },
    { code: "Paused", message: "instance paused" },
  );
});

cell(direction, "signal acknowledged", async () => {
  await using sdk = await registered("ack");
  database.putSignal("ack", "pause", "");
  await sdk.acknowledgeSignal("pause", false);
  assert.equal(database.acknowledgedAt("ack"), null);
  await sdk.acknowledgeSignal("pause", true);
  assert.notEqual(database.acknowledgedAt("ack"), null);
  database.putSignal("ack", "cancel", "");
  await sdk.acknowledgeSignal("cancel");
  assert.equal((await sdk.getStatus()).status, "cancelled");
});

cell(direction, "retry attempt", async () => {
  await using sdk = await registered("retry");
  await sdk.recordRetryAttempt("charge", 2, "timed out");
  assert.deepEqual(database.checkpointIds("retry"), ["charge::retry::2"]);
});

cell(direction, "instance status", async () => {
  await using sdk = await registered("status");
  await sdk.checkpoint("last", utf8("1"));
  const status = await sdk.getStatus();
  assert.deepEqual([status.found, status.status, status.checkpointId], [true, "running", "last"]);
  assert.ok(status.startedAt instanceof Date);
  await using other = sdkOf("status-2");
  assert.equal((await other.getInstanceStatus("status")).checkpointId, "last");
});

cell(direction, "status of an unknown id", async () => {
  await using sdk = sdkOf("status-3");
  const status = await sdk.getInstanceStatus("nobody");
  assert.deepEqual([status.status, status.error], ["unknown", "Instance not found"]);
});

cell(direction, "error answer", async () => {
  await using sdk = sdkOf("stranger");
  const message = "server error: CHECKPOINT_ERROR - Instance 'stranger' not found";
  await assert.rejects(sdk.checkpoint("a", utf8("1")), { code: "Server", message });
  await assert.rejects(sdk.getCheckpoint("a"), { message: /^server error: GET_CHECKPOINT_ERROR - / });
  await assert.rejects(sdk.heartbeat(), { message: /^server error: INSTANCE_EVENT_ERROR - / });
});

cell(direction, "60 MiB in a frame", async () => {
  await using sdk = await registered("big");
  const state = pattern(60 * 1024 * 1024);
  assert.equal((await sdk.checkpoint("big", state)).found, false);
  assert.ok(sameBytes((await sdk.getCheckpoint("big")) ?? new Uint8Array(), state), "it came back changed");
});

cell(direction, "connection closed by the client", async () => {
  await using sdk = await registered("close");
  await sdk.close();
  assert.equal(sdk.isConnected, false);
  await sdk.checkpoint("a", utf8("1"));
});

cell(direction, "server started again", async () => {
  await using sdk = await registered("restart");
  await sdk.checkpoint("before", utf8("1"));
  await core.stop();
  await until(
    () => sdk.isConnected,
    (connected) => !connected,
  );
  core = await ServerPeer.start("original-core", core.address, join(folder, "core.db"));
  assert.equal(hex((await sdk.getCheckpoint("before")) ?? ""), hex("1"));
  await sdk.checkpoint("after", utf8("2"));
});

// One process has one global SDK, so both cells share an instance.
let executions = 0;
const flaky = durable(
  async function flaky(key: string, fails: number) {
    executions++;
    if (executions <= fails) throw new Error(`execution ${executions} fails as asked`);
    return { key, executions };
  },
  { maxRetries: 3, delayMs: 5 },
);

cell(direction, "durable function", async () => {
  registerSdk(await registered("durable"));
  assert.deepEqual(await flaky("order-7", 0), { key: "order-7", executions: 1 });
  assert.deepEqual(await flaky("order-7", 9), { key: "order-7", executions: 1 });
  assert.deepEqual(database.checkpointIds("durable"), ["durable::flaky::order-7"]);
});

cell(direction, "durable function, retried", async () => {
  executions = 0;
  assert.deepEqual(await flaky("k", 2), { key: "k", executions: 3 });
  const ids = ["durable::flaky::k::retry::2", "durable::flaky::k::retry::3", "durable::flaky::k"];
  assert.deepEqual(database.checkpointIds("durable").slice(1), ids);
});
