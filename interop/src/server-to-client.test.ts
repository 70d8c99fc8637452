// SPDX-License-Identifier: AGPL-3.0-or-later
// The original's client (src/bin/client-driver.rs) calls our QuicServer (answering.ts tells what it answers).
import assert from "node:assert/strict";
import { after, before } from "node:test";
import {
  encodeFrame,
  encodeResponse,
  frameType,
  type instance,
  instanceProtocol,
  QuicServer,
  type QuicStream,
} from "@runtara/protocol";
import { answerTo, instanceIdOf } from "./answering.ts";
import { hex, utf8 } from "./bytes.ts";
import { cell } from "./cell.ts";
import { Mailbox } from "./mailbox.ts";
import { DriverPeer } from "./peer.ts";

const direction = "clientToOurServer";
type Request = instance.RpcRequest["request"];

let requests = new Mailbox<Request>();
let closes = new Mailbox<{ by: string; code: number; reason: string }>();
let server: QuicServer;
let client: DriverPeer;

async function listen(bindAddr: string): Promise<QuicServer> {
  return await QuicServer.listen({
    bindAddr,
    onConnectionClosed(_connection, why) {
      closes.put({ by: why.by, code: Number(why.code), reason: why.reason });
    },
    onCall(call) {
      const instanceId = instanceIdOf(call.request);
      requests.put(call.request);
      if (instanceId === "close") return call.connection.close(7, "told to");
      if (instanceId === "error") return call.respondError("TOLD_TO", "the request asked for an error");
      if (instanceId === "raw") return void echoAfter(call.stream(), call.request);
      const answer = instanceId === "silent" ? undefined : answerTo(call.request);
      if (answer === undefined) return call.finish();
      if (call.request.case !== "sleep") return call.respond(answer);
      setTimeout(() => call.respond(answer), Number(call.request.value.durationMs));
    },
  });
}

/** The answer's frame, then every byte that follows the request. */
async function echoAfter(stream: QuicStream, request: Request): Promise<void> {
  const answer = answerTo(request);
  assert.ok(answer);
  await stream.write(encodeFrame(frameType.response, encodeResponse(instanceProtocol, answer)));
  for (let bytes = await stream.read(); bytes !== undefined; bytes = await stream.read()) await stream.write(bytes);
  await stream.finish();
}

before(async () => {
  server = await listen("127.0.0.1:0");
  client = new DriverPeer("client-driver", server.address);
});
after(async () => {
  await client[Symbol.asyncDispose]();
  await server.close();
});

/** One call by the Rust client: what it got, and what our server was asked. */
async function call<R>(name: string, fields: object): Promise<{ answer: R; asked: Record<string, unknown> }> {
  const answer = await client.ok<Record<string, R>>({ do: "request", request: { [name]: fields } });
  const asked = await requests.take();
  assert.equal(asked.case, name);
  assert.deepEqual(Object.keys(answer), [name]);
  return { answer: answer[name] as R, asked: withoutType(asked.value) };
}

/** A decoded message as a plain object with its bytes in hexadecimal. */
function withoutType(message: object | undefined): Record<string, unknown> {
  const fields = Object.entries(message ?? {}).filter(([name, value]) => !name.startsWith("$") && value !== undefined);
  return Object.fromEntries(fields.map(([name, value]) => [name, value instanceof Uint8Array ? hex(value) : value]));
}

cell(direction, "connect", async () => {
  assert.equal(await client.ok({ do: "isConnected" }), false);
  await client.ok({ do: "connect" });
  assert.equal(await client.ok({ do: "isConnected" }), true);
});

cell(direction, "register instance", async () => {
  const fields = { instanceId: "é-1", tenantId: "t", checkpointId: "" };
  const { answer, asked } = await call("registerInstance", fields);
  assert.deepEqual(asked, fields);
  assert.deepEqual(answer, { success: true, error: "" });
});

cell(direction, "registration refused", async () => {
  const fields = { instanceId: "refused", tenantId: "t" };
  const { answer, asked } = await call("registerInstance", fields);
  assert.deepEqual(asked, fields);
  assert.deepEqual(answer, { success: false, error: "refused as asked" });
});

cell(direction, "checkpoint found", async () => {
  const fields = { instanceId: "i", checkpointId: "c", state: "00ff0a" };
  const { answer, asked } = await call<{ found: boolean; state: string }>("checkpoint", fields);
  assert.deepEqual(asked, fields);
  assert.deepEqual([answer.found, answer.state], [true, "00ff0a"]);
});

cell(direction, "signal with a checkpoint", async () => {
  const { answer } = await call<object>("checkpoint", { instanceId: "i", checkpointId: "c" });
  assert.deepEqual(answer, {
    found: true,
    state: "",
    pendingSignal: { instanceId: "i", signalType: 1, payload: hex("pause") },
    customSignal: { checkpointId: "c", payload: hex("custom") },
  });
});

cell(direction, "get checkpoint", async () => {
  const fields = { instanceId: "i", checkpointId: "abc" };
  const { answer, asked } = await call("getCheckpoint", fields);
  assert.deepEqual(asked, fields);
  assert.deepEqual(answer, { found: true, state: hex("abc") });
});

cell(direction, "sleep", async () => {
  const begun = performance.now();
  const { answer, asked } = await call("sleep", { instanceId: "i", durationMs: 200, checkpointId: "nap", state: "01" });
  assert.ok(performance.now() - begun >= 199, "answered early");
  assert.deepEqual(asked, { instanceId: "i", durationMs: 200n, checkpointId: "nap", state: "01" });
  assert.deepEqual(answer, {});
});

const eventTypes = {
  "event: heartbeat": 0,
  "event: completed": 2,
  "event: failed": 3,
  "event: suspended": 4,
  "event: custom": 5,
} as const;

for (const [name, eventType] of Object.entries(eventTypes) as [keyof typeof eventTypes, number][]) {
  cell(direction, name, async () => {
    const fields = { instanceId: "i", eventType, checkpointId: "", payload: "70", subtype: "sub" };
    const { answer, asked } = await call("instanceEvent", { ...fields, timestampMs: 1_763_760_000_123 });
    assert.deepEqual(asked, { ...fields, timestampMs: 1_763_760_000_123n });
    assert.deepEqual(answer, { success: true });
  });
}

cell(direction, "event batch", async () => {
  const events = [
    { instanceId: "b1", eventType: 0, timestampMs: -1 },
    { instanceId: "b2", eventType: 5, timestampMs: 2, subtype: "" },
  ];
  await client.ok({ do: "fireAndForget", request: { instanceEventBatch: { events } } });
  const asked = await requests.take();
  assert.equal(asked.case, "instanceEventBatch");
  const seen = (asked.value as instance.InstanceEventBatch).events.map(withoutType);
  assert.deepEqual(
    seen,
    events.map((event) => ({ ...event, payload: "", timestampMs: BigInt(event.timestampMs) })),
  );
});

cell(direction, "poll signals", async () => {
  const { answer, asked } = await call("pollSignals", { instanceId: "i" });
  assert.deepEqual(asked, { instanceId: "i" });
  assert.deepEqual(answer, { signal: { instanceId: "i", signalType: 0, payload: hex("why") } });
});

cell(direction, "custom signal", async () => {
  const fields = { instanceId: "i", checkpointId: "go" };
  const { answer, asked } = await call<{ customSignal: object }>("pollSignals", fields);
  assert.deepEqual(asked, fields);
  assert.deepEqual(answer.customSignal, { checkpointId: "go", payload: hex("custom") });
});

cell(direction, "signal acknowledged", async () => {
  const fields = { instanceId: "i", signalType: 2, acknowledged: true };
  await client.ok({ do: "fireAndForget", request: { signalAck: fields } });
  const asked = await requests.take();
  assert.deepEqual([asked.case, withoutType(asked.value)], ["signalAck", fields]);
});

cell(direction, "retry attempt", async () => {
  const fields = { instanceId: "i", checkpointId: "c", attemptNumber: 4_294_967_295, errorMessage: "" };
  await client.ok({ do: "fireAndForget", request: { retryAttempt: { ...fields, timestampMs: 7 } } });
  const asked = await requests.take();
  assert.deepEqual([asked.case, withoutType(asked.value)], ["retryAttempt", { ...fields, timestampMs: 7n }]);
});

cell(direction, "instance status", async () => {
  const { answer } = await call("getInstanceStatus", { instanceId: "i" });
  const times = { startedAtMs: 1_763_760_000_123, finishedAtMs: -1 };
  assert.deepEqual(answer, { instanceId: "i", status: 5, checkpointId: "last", ...times, output: "00ff01", error: "" });
});

cell(direction, "error answer", async () => {
  const answer = await client.ok({ do: "request", request: { pollSignals: { instanceId: "error" } } });
  assert.deepEqual(answer, { error: { code: "TOLD_TO", message: "the request asked for an error" } });
  await requests.take();
});

cell(direction, "answer is FIN alone", async () => {
  const error = await client.fails({ do: "request", request: { pollSignals: { instanceId: "silent" } } });
  assert.equal(error.text, "frame error: connection closed");
  await requests.take();
});

cell(direction, "fire and forget", async () => {
  const numbers = new Set<number>();
  for (let attemptNumber = 0; attemptNumber < 50; attemptNumber++) {
    const fields = { instanceId: "many", checkpointId: "c", attemptNumber };
    await client.ok({ do: "fireAndForget", request: { retryAttempt: fields } });
  }
  while (numbers.size < 50) {
    const asked = await requests.take();
    assert.equal(asked.case, "retryAttempt");
    numbers.add((asked.value as instance.RetryAttemptEvent).attemptNumber);
  }
});

cell(direction, "300 calls at once", async () => {
  assert.deepEqual(await client.ok({ do: "burst", calls: 300 }), { calls: 300, right: 300 });
  for (let calls = 0; calls < 300; calls++) await requests.take();
});

cell(direction, "60 MiB in a frame", async () => {
  const bytes = 60 * 1024 * 1024;
  assert.deepEqual(await client.ok({ do: "big", bytes }), { bytes, intact: true });
  await requests.take();
});

cell(direction, "raw bytes after a frame", async () => {
  const request = { pollSignals: { instanceId: "raw" } };
  const result = await client.ok<Record<string, unknown>>({ do: "raw", request, bytes: 3_000_000 });
  assert.deepEqual([result.bytes, result.intact], [3_000_000, true]);
  assert.deepEqual(result.response, {
    pollSignals: { signal: { instanceId: "raw", signalType: 0, payload: hex("why") } },
  });
  await requests.take();
});

cell(direction, "connection closed by the server", async () => {
  const error = await client.fails({ do: "request", request: { pollSignals: { instanceId: "close" } } });
  assert.match(error.text, /connection/);
  assert.equal((await requests.take()).case, "pollSignals");
  assert.equal((await closes.take()).by, "local");
  assert.equal(await client.ok({ do: "isConnected" }), false);
  await call("pollSignals", { instanceId: "after-close" });
});

cell(direction, "connection closed by the client", async () => {
  await client.ok({ do: "close" });
  assert.deepEqual(await closes.take(), { by: "peer", code: 0, reason: "client closing" });
  await call("pollSignals", { instanceId: "after-close" });
});

cell(direction, "server started again", async () => {
  const { address } = server;
  await server.close();
  requests = new Mailbox();
  closes = new Mailbox();
  server = await listen(address);
  const { answer } = await call<{ signal: object }>("pollSignals", { instanceId: "again" });
  assert.deepEqual(answer.signal, { instanceId: "again", signalType: 0, payload: hex(utf8("why")) });
});
