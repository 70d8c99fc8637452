// SPDX-License-Identifier: AGPL-3.0-or-later
// Our QuicClient calls the original's server (src/bin/protocol-server.rs tells what it answers).
import assert from "node:assert/strict";
import { after, before } from "node:test";
import {
  create,
  instance,
  isProtocolError,
  openStream,
  type ProtocolError,
  QuicClient,
  request,
} from "@runtara/protocol";
import { hex, pattern, sameBytes, utf8 } from "./bytes.ts";
import { cell } from "./cell.ts";
import { ServerPeer } from "./peer.ts";

const direction = "ourClientToServer";
let server: ServerPeer;
let client: QuicClient;

before(async () => {
  server = await ServerPeer.start("protocol-server", "127.0.0.1:0");
  client = new QuicClient({ serverAddr: server.address, serverName: "localhost", dangerouslySkipVerification: true });
});
after(async () => {
  await client.close();
  await server.stop();
});

/** What the Rust server says it received must be this. */
async function received(expected: object): Promise<void> {
  assert.deepEqual(await server.nextJson(), expected);
}

async function fails(call: Promise<unknown>): Promise<ProtocolError> {
  const error = await call.then(
    () => assert.fail("the call succeeded"),
    (reason: unknown) => reason,
  );
  assert.ok(isProtocolError(error), String(error));
  return error;
}

cell(direction, "connect", async () => {
  const connection = await client.connect();
  assert.equal(connection.isOpen, true);
  assert.equal(connection.remoteAddress, server.address);
  assert.equal(await client.connect(), connection);
});

cell(direction, "register instance", async () => {
  const schema = instance.RegisterInstanceRequestSchema;
  const answer = await request(client, schema, { instanceId: "é-1", tenantId: "t", checkpointId: "" });
  assert.deepEqual([answer.success, answer.error], [true, ""]);
  await received({ registerInstance: { instanceId: "é-1", tenantId: "t", checkpointId: "" } });
});

cell(direction, "registration refused", async () => {
  const schema = instance.RegisterInstanceRequestSchema;
  const answer = await request(client, schema, { instanceId: "refused", tenantId: "t" });
  assert.deepEqual([answer.success, answer.error], [false, "refused as asked"]);
  await received({ registerInstance: { instanceId: "refused", tenantId: "t" } });
});

cell(direction, "checkpoint found", async () => {
  const state = Uint8Array.of(0, 255, 10);
  const schema = instance.CheckpointRequestSchema;
  const answer = await request(client, schema, { instanceId: "i", checkpointId: "c", state });
  assert.equal(answer.found, true);
  assert.equal(hex(answer.state), "00ff0a");
  await received({ checkpoint: { instanceId: "i", checkpointId: "c", state: "00ff0a" } });
});

cell(direction, "signal with a checkpoint", async () => {
  const schema = instance.CheckpointRequestSchema;
  const answer = await request(client, schema, { instanceId: "i", checkpointId: "c", state: new Uint8Array() });
  assert.equal(answer.pendingSignal?.instanceId, "i");
  assert.equal(answer.pendingSignal.signalType, instance.SignalType.SIGNAL_PAUSE);
  assert.equal(hex(answer.pendingSignal.payload), hex("pause"));
  assert.equal(answer.customSignal?.checkpointId, "c");
  await received({ checkpoint: { instanceId: "i", checkpointId: "c", state: "" } });
});

cell(direction, "get checkpoint", async () => {
  const schema = instance.GetCheckpointRequestSchema;
  const answer = await request(client, schema, { instanceId: "i", checkpointId: "abc" });
  assert.deepEqual([answer.found, hex(answer.state)], [true, hex("abc")]);
  await received({ getCheckpoint: { instanceId: "i", checkpointId: "abc" } });
});

cell(direction, "sleep", async () => {
  const begun = performance.now();
  const fields = { instanceId: "i", durationMs: 200n, checkpointId: "nap", state: utf8("s") };
  await request(client, instance.SleepRequestSchema, fields);
  assert.ok(performance.now() - begun >= 199, "answered early");
  await received({ sleep: { instanceId: "i", durationMs: 200, checkpointId: "nap", state: hex("s") } });
});

const eventTypes = {
  "event: heartbeat": instance.InstanceEventType.EVENT_HEARTBEAT,
  "event: completed": instance.InstanceEventType.EVENT_COMPLETED,
  "event: failed": instance.InstanceEventType.EVENT_FAILED,
  "event: suspended": instance.InstanceEventType.EVENT_SUSPENDED,
  "event: custom": instance.InstanceEventType.EVENT_CUSTOM,
} as const;

for (const [call, eventType] of Object.entries(eventTypes) as [keyof typeof eventTypes, instance.InstanceEventType][]) {
  cell(direction, call, async () => {
    const fields = { instanceId: "i", eventType, subtype: "sub" };
    const sent = { ...fields, timestampMs: 1_763_760_000_123n, payload: utf8("p") };
    const answer = await request(client, instance.InstanceEventSchema, sent);
    assert.deepEqual([answer.success, answer.error], [true, undefined]);
    await received({ instanceEvent: { ...fields, timestampMs: 1_763_760_000_123, payload: hex("p") } });
  });
}

cell(direction, "event batch", async () => {
  const { EVENT_HEARTBEAT, EVENT_CUSTOM } = instance.InstanceEventType;
  const events = [
    create(instance.InstanceEventSchema, { instanceId: "b1", eventType: EVENT_HEARTBEAT, timestampMs: -1n }),
    create(instance.InstanceEventSchema, { instanceId: "b2", eventType: EVENT_CUSTOM, timestampMs: 2n, subtype: "" }),
  ];
  await request(client, instance.InstanceEventBatchSchema, { events });
  await received({
    instanceEventBatch: {
      events: [
        { instanceId: "b1", eventType: 0, timestampMs: -1, payload: "" },
        { instanceId: "b2", eventType: 5, timestampMs: 2, payload: "", subtype: "" },
      ],
    },
  });
});

cell(direction, "poll signals", async () => {
  const answer = await request(client, instance.PollSignalsRequestSchema, { instanceId: "i" });
  assert.equal(answer.signal?.instanceId, "i");
  assert.equal(answer.signal.signalType, instance.SignalType.SIGNAL_CANCEL);
  assert.equal(hex(answer.signal.payload), hex("why"));
  assert.equal(answer.customSignal, undefined);
  await received({ pollSignals: { instanceId: "i" } });
});

cell(direction, "custom signal", async () => {
  const answer = await request(client, instance.PollSignalsRequestSchema, { instanceId: "i", checkpointId: "go" });
  assert.equal(answer.customSignal?.checkpointId, "go");
  assert.equal(hex(answer.customSignal.payload), hex("custom"));
  await received({ pollSignals: { instanceId: "i", checkpointId: "go" } });
});

cell(direction, "signal acknowledged", async () => {
  await request(client, instance.SignalAckSchema, { instanceId: "i", signalType: 1, acknowledged: true });
  await received({ signalAck: { instanceId: "i", signalType: 1, acknowledged: true } });
});

cell(direction, "retry attempt", async () => {
  const fields = { instanceId: "i", checkpointId: "c", attemptNumber: 4_294_967_295, errorMessage: "" };
  await request(client, instance.RetryAttemptEventSchema, { ...fields, timestampMs: 7n });
  await received({ retryAttempt: { ...fields, timestampMs: 7 } });
});

cell(direction, "instance status", async () => {
  const answer = await request(client, instance.GetInstanceStatusRequestSchema, { instanceId: "i" });
  assert.equal(answer.instanceId, "i");
  assert.equal(answer.status, instance.InstanceStatus.STATUS_FAILED);
  assert.equal(answer.checkpointId, "last");
  assert.deepEqual([answer.startedAtMs, answer.finishedAtMs], [1_763_760_000_123n, -1n]);
  assert.deepEqual([hex(answer.output ?? utf8("none")), answer.error], ["00ff01", ""]);
  await received({ getInstanceStatus: { instanceId: "i" } });
});

cell(direction, "error answer", async () => {
  const error = await fails(request(client, instance.PollSignalsRequestSchema, { instanceId: "error" }));
  assert.deepEqual([error.code, error.rpcCode], ["RPC", "TOLD_TO"]);
  assert.match(error.message, /the request asked for an error/);
  await received({ pollSignals: { instanceId: "error" } });
});

cell(direction, "answer is FIN alone", async () => {
  const error = await fails(request(client, instance.PollSignalsRequestSchema, { instanceId: "silent" }));
  assert.equal(error.code, "STREAM_ENDED");
  await received({ pollSignals: { instanceId: "silent" } });
});

cell(direction, "fire and forget", async () => {
  // Each resolves on the server's FIN, so all have arrived by then, in whatever order.
  const numbers = Array.from({ length: 50 }, (_, number) => number);
  await Promise.all(
    numbers.map((attemptNumber) =>
      request(client, instance.RetryAttemptEventSchema, { instanceId: "many", checkpointId: "c", attemptNumber }),
    ),
  );
  const seen = new Set<number>();
  for (const _ of numbers) {
    const line = (await server.nextJson()) as { retryAttempt: { attemptNumber: number } };
    seen.add(line.retryAttempt.attemptNumber);
  }
  assert.equal(seen.size, numbers.length);
});

cell(direction, "300 calls at once", async () => {
  const ids = Array.from({ length: 300 }, (_, number) => `burst-${number}`);
  const schema = instance.PollSignalsRequestSchema;
  const answers = await Promise.all(ids.map((instanceId) => request(client, schema, { instanceId })));
  assert.deepEqual(
    answers.map((answer) => answer.signal?.instanceId),
    ids,
  );
  for (const _ of ids) await server.nextJson();
});

cell(direction, "60 MiB in a frame", async () => {
  const state = pattern(60 * 1024 * 1024);
  const schema = instance.CheckpointRequestSchema;
  const echoed = await request(client, schema, { instanceId: "big", checkpointId: "big", state });
  assert.ok(sameBytes(echoed.state, state), "the checkpoint came back changed");
  await received({ checkpoint: { instanceId: "big", checkpointId: "big", state: `<${state.length} bytes>` } });
});

cell(direction, "raw bytes after a frame", async () => {
  const connection = await client.connect();
  const rpc = await openStream(connection, create(instance.PollSignalsRequestSchema, { instanceId: "raw" }));
  const body = pattern(3_000_000);
  const sending = rpc.write(body).then(() => rpc.finish());
  const answer = await rpc.readResponse();
  assert.equal(answer.signal?.instanceId, "raw");
  const chunks: Uint8Array[] = [];
  for (let chunk = await rpc.read(); chunk !== undefined; chunk = await rpc.read()) chunks.push(chunk);
  await sending;
  assert.ok(sameBytes(Buffer.concat(chunks), body), "the bytes came back changed");
  await received({ pollSignals: { instanceId: "raw" } });
});

cell(direction, "connection closed by the server", async () => {
  const error = await fails(request(client, instance.PollSignalsRequestSchema, { instanceId: "close" }));
  assert.equal(error.code, "CONNECTION_CLOSED");
  assert.deepEqual([error.closeCode, error.closeReason], [7n, "told to"]);
  await received({ pollSignals: { instanceId: "close" } });
});

cell(direction, "connection closed by the client", async () => {
  const connection = await client.connect();
  await client.close();
  assert.equal((await connection.closed).by, "local");
  assert.equal(connection.isOpen, false);
  await request(client, instance.PollSignalsRequestSchema, { instanceId: "after-close" });
  await received({ pollSignals: { instanceId: "after-close" } });
});

cell(direction, "server started again", async () => {
  const before = await client.connect();
  await server.stop();
  assert.equal((await before.closed).by, "peer");
  server = await ServerPeer.start("protocol-server", server.address);
  const answer = await request(client, instance.PollSignalsRequestSchema, { instanceId: "again" });
  assert.equal(answer.signal?.instanceId, "again");
  await received({ pollSignals: { instanceId: "again" } });
});
