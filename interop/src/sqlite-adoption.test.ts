// SPDX-License-Identifier: AGPL-3.0-or-later
// Our store takes over an SQLite file that the original core wrote, in place; our core goes on with its instances.
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { startCore } from "@runtara/core/server";
import { type Instance, openStore, type Store } from "@runtara/store";
import { checkDatabase } from "@runtara/store/sqlite";
import { hex, pattern } from "./bytes.ts";
import { temporaryFolder } from "./folder.ts";
import { OriginalDatabase, until } from "./original-database.ts";
import { DriverPeer, ServerPeer } from "./peer.ts";

const deadline = { timeout: 120_000 };
const bigBytes = 300_000;
const output = hex('{"sum":18446744073709551615}');

type Row = Readonly<Record<string, unknown>>;
type Tables = Readonly<Record<"instances" | "checkpoints" | "events" | "signals" | "slots", readonly Row[]>>;

/** What the original's tables hold, times as milliseconds; read before the take-over. */
function originalRows(path: string): Tables {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = (sql: string): Row[] => database.prepare(sql).all();
  const tables = {
    instances: rows("SELECT * FROM instances ORDER BY instance_id"),
    checkpoints: rows("SELECT * FROM checkpoints ORDER BY id"),
    events: rows("SELECT * FROM instance_events ORDER BY id"),
    signals: rows("SELECT * FROM pending_signals ORDER BY instance_id"),
    slots: rows("SELECT * FROM pending_custom_signals ORDER BY instance_id, checkpoint_id"),
  };
  database.close();
  return tables;
}

/** `YYYY-MM-DD HH:MM:SS` is UTC; RFC 3339 says so itself, with nine digits behind the point. To the nearest millisecond. */
function asMs(text: unknown): number | null {
  if (text === null) return null;
  assert.ok(typeof text === "string");
  const fraction = Number(`0${text.match(/\.\d+/)?.[0] ?? ""}`);
  const seconds = `${text.slice(0, 10)}T${text.slice(11, 19)}Z`;
  return Date.parse(seconds) + Math.round(fraction * 1_000);
}

function bytesOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  assert.ok(value instanceof Uint8Array);
  return hex(value);
}

async function program(address: string, instanceId: string): Promise<DriverPeer> {
  const sdk = new DriverPeer("sdk-driver", address, instanceId, "tenant");
  await sdk.ok({ call: "init" });
  return sdk;
}

/** A bit of everything that the original stores, by its own core and SDK; signals as its environment writes them. */
async function writeWithOriginal(path: string): Promise<void> {
  await using core = await ServerPeer.start("original-core", "127.0.0.1:0", path);
  using database = new OriginalDatabase(path);
  await using running = await program(core.address, "running");
  await running.ok({ call: "checkpoint", id: "é/1", state: "00ff0a" });
  await running.ok({ call: "checkpoint", id: "plain::retry::2", state: "aa" });
  await running.ok({ call: "checkpoint", id: "", state: "" });
  await running.ok({ call: "checkpoint_big", id: "big", stateBytes: bigBytes });
  await running.ok({ call: "durable", key: "k", fails: 2, retries: true });
  await running.ok({ call: "record_retry_attempt", id: "charge", attempt: 1, error: "timed out" });
  // Fire and forget: seen a little later.
  await until(
    () => database.checkpointIds("running"),
    (ids) => ids.includes("charge::retry::1"),
  );
  await running.ok({ call: "custom_event", subtype: "workflow_log", payload: hex('{"a":1}') });
  await running.ok({ call: "heartbeat" });
  await using completed = await program(core.address, "completed");
  await completed.ok({ call: "completed", output });
  await using failed = await program(core.address, "failed");
  await failed.ok({ call: "failed", error: "no more paper" });
  await using suspended = await program(core.address, "suspended");
  await suspended.ok({ call: "checkpoint", id: "a", state: "01" });
  await suspended.ok({ call: "suspended" });
  await using cancelled = await program(core.address, "cancelled");
  database.putSignal("cancelled", "cancel", "enough");
  await cancelled.ok({ call: "poll_signal_now" });
  await cancelled.ok({ call: "acknowledge_signal", type: "cancel", acknowledged: true });
  await until(
    () => database.acknowledgedAt("cancelled"),
    (at) => at !== null,
  );
  database.putSignal("running", "pause", "why");
  database.putCustomSignal("running", "approved", "yes");
  await until(
    () => [database.events("running").length, database.status("cancelled")],
    ([events, status]) => events === 3 && status === "cancelled",
  );
}

async function written(): Promise<{ path: string; before: Tables }> {
  const path = join(temporaryFolder(), "core.db");
  await writeWithOriginal(path);
  return { path, before: originalRows(path) };
}

async function opened(path: string): Promise<Store & AsyncDisposable> {
  const store = await openStore(`sqlite:${path}`);
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

async function instance(store: Store, instanceId: unknown): Promise<Instance> {
  const read = await store.run({ kind: "readInstance", instanceId: String(instanceId) });
  assert.ok(read.outcome === "found", String(instanceId));
  return read.instance;
}

async function assertInstances(store: Store, before: Tables): Promise<void> {
  for (const row of before.instances) {
    const own = before.checkpoints.filter((checkpoint) => checkpoint.instance_id === row.instance_id);
    const now = await instance(store, row.instance_id);
    const [createdAtMs, startedAtMs] = [asMs(row.created_at), asMs(row.started_at)];
    // The original gives a cancelled instance no end; ours has one.
    const finishedAtMs = asMs(row.finished_at) ?? (row.status === "cancelled" ? startedAtMs : null);
    assert.deepEqual(
      { ...now, output: bytesOf(now.output) },
      {
        ...now,
        tenantId: row.tenant_id,
        status: row.status,
        checkpointId: row.checkpoint_id,
        checkpointCount: own.length,
        ...{ createdAtMs, startedAtMs, firstStartedAtMs: startedAtMs, finishedAtMs },
        ...{ output: bytesOf(row.output), error: row.error, epoch: 0, run: 1 },
      },
    );
  }
  const listed = await store.run({ kind: "listInstances", limit: 100 });
  assert.ok(listed.outcome === "page" && listed.total === before.instances.length);
}

async function assertCheckpoints(store: Store, before: Tables): Promise<void> {
  for (const row of before.checkpoints) {
    const [instanceId, checkpointId] = [String(row.instance_id), String(row.checkpoint_id)];
    const loaded = await store.run({ kind: "loadCheckpoint", instanceId, checkpointId });
    assert.ok(loaded.outcome === "found" && hex(loaded.state) === bytesOf(row.state), `${instanceId} ${checkpointId}`);
  }
  for (const { instance_id } of before.instances) {
    const page = await store.run({ kind: "listCheckpoints", instanceId: String(instance_id), limit: 100 });
    assert.ok(page.outcome === "page");
    const newestFirst = before.checkpoints.filter((row) => row.instance_id === instance_id).toReversed();
    assert.deepEqual(
      page.checkpoints.map(({ checkpointId, createdAtMs }) => [checkpointId, createdAtMs]),
      newestFirst.map((row) => [row.checkpoint_id, asMs(row.created_at)]),
    );
  }
}

async function assertEvents(store: Store, before: Tables): Promise<void> {
  for (const { instance_id } of before.instances) {
    const page = await store.run({ kind: "listEvents", instanceId: String(instance_id), limit: 100 });
    assert.ok(page.outcome === "page");
    const own = before.events.filter((row) => row.instance_id === instance_id);
    const told = page.events.map((event) => [event.type, event.subtype, event.checkpointId, bytesOf(event.payload)]);
    const kept = own.map((row) => [row.event_type, row.subtype, row.checkpoint_id, bytesOf(row.payload)]);
    // The original notes whole seconds: within one the order is that of the rows, and it came in order.
    assert.deepEqual(told, kept.toReversed());
    assert.equal(page.total, own.length);
  }
}

test("an SQLite file of the original is adopted in place: everything is read as it was", deadline, async () => {
  const { path, before } = await written();
  assert.deepEqual(
    before.instances.map(({ instance_id, status }) => [instance_id, status]),
    ["cancelled", "completed", "failed", "running", "suspended"].map((name) => [name, name]),
  );
  assert.deepEqual([before.checkpoints.length, before.signals.length, before.slots.length], [9, 2, 1]);
  await using store = await opened(path);
  await assertInstances(store, before);
  await assertCheckpoints(store, before);
  await assertEvents(store, before);
  assert.deepEqual(await checkDatabase({ engine: "sqlite", path, create: false }), []);
  const polled = await store.run({ kind: "pollSignals", instanceId: "running", checkpointId: "approved", nowMs: 1 });
  assert.ok(polled.outcome === "polled");
  assert.deepEqual(
    [polled.signal?.type, bytesOf(polled.signal?.payload), bytesOf(polled.custom?.payload)],
    ["pause", hex("why"), hex("yes")],
  );
  const acknowledged = await store.run({ kind: "pollSignals", instanceId: "cancelled", nowMs: 1 });
  assert.ok(acknowledged.outcome === "polled" && acknowledged.signal === undefined);
});

test("programs on the original's SDK go on with our core where they stopped", deadline, async () => {
  const { path } = await written();
  await using store = await opened(path);
  await using ending = new AsyncDisposableStack();
  const core = await startCore({ store, bindAddr: "127.0.0.1:0" });
  ending.defer(() => core.close());
  await using running = await program(core.address, "running");
  const replayed = await running.ok<Row>({ call: "checkpoint", id: "é/1", state: "99" });
  assert.deepEqual([replayed.found, replayed.state, replayed.shouldPause], [true, "00ff0a", true]);
  assert.deepEqual(await running.ok({ call: "checkpoint_big", id: "big", stateBytes: bigBytes }), {
    ...{ found: true, bytes: bigBytes, intact: true },
  });
  const loaded = await store.run({ kind: "loadCheckpoint", instanceId: "running", checkpointId: "big" });
  assert.ok(loaded.outcome === "found" && hex(loaded.state) === hex(pattern(bigBytes)));
  // In the third execution of the other process it went well; here its body does not run.
  assert.deepEqual(await running.ok({ call: "durable", key: "k", fails: 9, retries: true }), {
    key: "k",
    execution: 3,
  });
  const saved = await running.ok<Row>({ call: "checkpoint", id: "approved", state: "03" });
  assert.deepEqual([saved.found, saved.customSignal], [false, { checkpointId: "approved", payload: hex("yes") }]);
  await running.ok({ call: "completed", output: hex("1") });
  const now = await instance(store, "running");
  assert.deepEqual(
    [now.status, now.epoch, bytesOf(now.output), now.checkpointId],
    ["completed", 1, hex("1"), "approved"],
  );
  await using suspended = await program(core.address, "suspended");
  assert.equal(await suspended.ok({ call: "get_checkpoint", id: "a" }), "01");
  assert.equal((await instance(store, "suspended")).status, "running");
  await using asking = new DriverPeer("sdk-driver", core.address, "asking", "tenant");
  await asking.ok({ call: "attach" });
  const done = await asking.ok<Row>({ call: "get_instance_status", id: "completed" });
  assert.deepEqual([done.status, done.output], ["completed", output]);
});

test("the original refuses a file that we have taken over, and changes nothing in it", deadline, async () => {
  const { path, before } = await written();
  await (await openStore(`sqlite:${path}`)).close();
  await assert.rejects(ServerPeer.start("original-core", "127.0.0.1:0", path), /did not become ready/);
  await using store = await opened(path);
  await assertInstances(store, before);
  await assertCheckpoints(store, before);
});
