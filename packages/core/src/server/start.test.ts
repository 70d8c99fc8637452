import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { create, instance, QuicClient, sendRequest } from "@runtara/protocol";
import { openStore } from "@runtara/store";
import { type CoreServer, startCore } from "./index.ts";

let folder = "";
let url = "";
let servers: CoreServer[] = [];
let clients: QuicClient[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "runtara-server-"));
  url = `sqlite:${join(folder, "core.db")}`;
});
afterEach(async () => {
  for (const client of clients) await client.close();
  for (const server of servers) await server.close();
  clients = [];
  servers = [];
  rmSync(folder, { recursive: true });
});

async function start(): Promise<CoreServer> {
  const server = await startCore({ databaseUrl: url, bindAddr: "127.0.0.1:0" });
  servers.push(server);
  return server;
}

function connect({ address }: CoreServer): QuicClient {
  const client = QuicClient.localhost({ serverAddr: address });
  clients.push(client);
  return client;
}

function register(client: QuicClient, instanceId: string): Promise<instance.RegisterInstanceResponse> {
  return sendRequest(client, create(instance.RegisterInstanceRequestSchema, { instanceId, tenantId: "t" }));
}

function checkpoint(client: QuicClient, checkpointId: string, state: string): Promise<instance.CheckpointResponse> {
  const message = { instanceId: "i", checkpointId, state: Buffer.from(state) };
  return sendRequest(client, create(instance.CheckpointRequestSchema, message));
}

function oneLine(error: unknown): string {
  assert.ok(error instanceof Error);
  assert.ok(!error.message.includes("\n"), error.message);
  return error.message;
}

test("a call, the end, a new start: what was answered is there", async () => {
  const server = await start();
  assert.match(server.address, /^127\.0\.0\.1:[1-9]\d*$/);
  const client = connect(server);
  assert.equal((await register(client, "i")).success, true);
  assert.equal((await checkpoint(client, "a", "kept")).found, false);
  await server.close();
  await server.close();
  const again = connect(await start());
  const found = await checkpoint(again, "a", "later");
  assert.deepEqual([found.found, Buffer.from(found.state).toString()], [true, "kept"]);
});

test("closing tells clients code 0 and its reason, and cuts open sleeps whose rest is slept after the next start", async () => {
  const server = await start();
  const client = connect(server);
  await register(client, "i");
  const connection = await client.connect();
  const startedAt = performance.now();
  const nap = { instanceId: "i", checkpointId: "nap", durationMs: 700n };
  const cut = assert.rejects(sendRequest(client, create(instance.SleepRequestSchema, nap)));
  // The sleep has begun once a call that was sent after it has been answered twice over.
  for (let n = 0; n < 20; n += 1) await checkpoint(client, `c${n}`, "");
  await server.close();
  await cut;
  const { code, reason } = await connection.closed;
  assert.deepEqual([code, reason], [0n, "server closing"]);
  const again = connect(await start());
  await register(again, "i");
  const resumedAt = performance.now();
  await sendRequest(again, create(instance.SleepRequestSchema, nap));
  assert.ok(performance.now() - startedAt >= 700);
  assert.ok(performance.now() - resumedAt < 700, "the whole sleep was slept again");
});

test("I1: of calls that are under way at the end each answered one is stored, and those that had arrived are answered", async () => {
  const server = await start();
  const client = connect(server);
  await register(client, "i");
  const calls = Array.from({ length: 300 }, (_, n) => checkpoint(client, `c${n}`, `state ${n}`));
  const settled = Promise.allSettled(calls);
  await calls[0];
  await server.close();
  const answered = (await settled).flatMap(({ status }, n) => (status === "fulfilled" ? [n] : []));
  const store = await openStore(url);
  for (const n of answered) {
    const loaded = await store.run({ kind: "loadCheckpoint", instanceId: "i", checkpointId: `c${n}` });
    assert.ok(loaded.outcome === "found");
    assert.equal(Buffer.from(loaded.state).toString(), `state ${n}`);
  }
  const page = await store.run({ kind: "listCheckpoints", instanceId: "i", limit: 1_000 });
  await store.close();
  assert.ok(page.outcome === "page");
  assert.equal(page.total, answered.length, "a call was carried out and its answer cut off");
});

test("fire-and-forget calls are ended only after their commit", async () => {
  const client = connect(await start());
  await register(client, "i");
  for (let n = 1; n <= 20; n += 1) {
    await sendRequest(
      client,
      create(instance.RetryAttemptEventSchema, { instanceId: "i", checkpointId: "k", attemptNumber: n }),
    );
    const message = create(instance.GetCheckpointRequestSchema, { instanceId: "i", checkpointId: `k::retry::${n}` });
    assert.equal((await sendRequest(client, message)).found, true);
  }
});

test("a refusal has the operation's code, the cause as fine code, and whether trying again may help", async () => {
  const client = connect(await start());
  await assert.rejects(checkpoint(client, "a", ""), {
    code: "RPC",
    rpcCode: "CHECKPOINT_ERROR",
    fineCode: "INSTANCE_NOT_FOUND",
    isRetryable: false,
  });
});

test("I5: a store that fails is never acknowledged, whether the call has an answer or not", async () => {
  const store = await openStore(url);
  const server = await startCore({ store, bindAddr: "127.0.0.1:0" });
  servers.push(server);
  const client = connect(server);
  await register(client, "i");
  const retry = { instanceId: "i", checkpointId: "k", attemptNumber: 1 };
  const ack = { instanceId: "i", signalType: instance.SignalType.SIGNAL_CANCEL, acknowledged: true };
  const events = [{ instanceId: "i" }, { instanceId: "i" }];
  // What is refused for good is only logged, as clients of 1.4.1 have it; with an epoch it is told.
  const stranger = { ...retry, instanceId: "stranger" };
  await sendRequest(client, create(instance.RetryAttemptEventSchema, stranger));
  await assert.rejects(sendRequest(client, create(instance.RetryAttemptEventSchema, { ...stranger, epoch: 1n })), {
    rpcCode: "RETRY_ATTEMPT_ERROR",
    fineCode: "INSTANCE_NOT_FOUND",
    isRetryable: false,
  });
  await store.close();
  const undone = { code: "STREAM_RESET", resetCode: 2n };
  await assert.rejects(sendRequest(client, create(instance.RetryAttemptEventSchema, retry)), undone);
  await assert.rejects(sendRequest(client, create(instance.SignalAckSchema, ack)), undone);
  await assert.rejects(sendRequest(client, create(instance.InstanceEventBatchSchema, { events })), undone);
  await sendRequest(client, create(instance.InstanceEventBatchSchema));
  const failed = { code: "RPC", fineCode: "DATABASE_ERROR", isRetryable: true };
  const epoch = 1n;
  await assert.rejects(sendRequest(client, create(instance.RetryAttemptEventSchema, { ...retry, epoch })), {
    ...failed,
    rpcCode: "RETRY_ATTEMPT_ERROR",
  });
  await assert.rejects(sendRequest(client, create(instance.SignalAckSchema, { ...ack, epoch })), {
    ...failed,
    rpcCode: "SIGNAL_ACK_ERROR",
  });
  const fenceable = events.map((event) => ({ ...event, epoch }));
  await assert.rejects(sendRequest(client, create(instance.InstanceEventBatchSchema, { events: fenceable })), {
    ...failed,
    rpcCode: "INSTANCE_EVENT_BATCH_ERROR",
  });
  // A part that is wrong for good makes the whole not worth repeating.
  const mixed = [...fenceable, { epoch }];
  await assert.rejects(sendRequest(client, create(instance.InstanceEventBatchSchema, { events: mixed })), {
    fineCode: "DATABASE_ERROR",
    isRetryable: false,
  });
});

test("a store that is given stays open", async () => {
  const store = await openStore(url);
  const server = await startCore({ store, bindAddr: "127.0.0.1:0" });
  await register(connect(server), "i");
  await server.close();
  const read = await store.run({ kind: "readInstance", instanceId: "i" });
  assert.equal(read.outcome, "found");
  await store.close();
});

test("a port in use: one line with the address; the running server stays", async () => {
  const server = await start();
  const other = join(folder, "other", "core.db");
  await assert.rejects(startCore({ databaseUrl: other, bindAddr: server.address }), (error) => {
    assert.ok(oneLine(error).includes(server.address));
    return true;
  });
  assert.ok(!existsSync(join(folder, "other")), "a database was left behind");
  assert.equal((await register(connect(server), "i")).success, true);
});

test("addresses that are none: one line, and no database comes to be", async () => {
  for (const bindAddr of ["", "localhost", "127.0.0.1:99999", "127.0.0.1:port", "256.0.0.1:1"]) {
    await assert.rejects(startCore({ databaseUrl: url, bindAddr }), (error) => oneLine(error).length > 10);
    assert.ok(!existsSync(join(folder, "core.db")), `${bindAddr}: a database was left behind`);
  }
});

test("a database that is none: one line", async () => {
  const path = join(folder, "letter.txt");
  writeFileSync(path, "no database, but long enough to be looked at ".repeat(100));
  await assert.rejects(startCore({ databaseUrl: path, bindAddr: "127.0.0.1:0" }), (error) =>
    oneLine(error).includes("letter.txt"),
  );
});
