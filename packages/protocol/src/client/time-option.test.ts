import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Guard } from "../bodies/guard.ts";
import { uploadStream } from "../bodies/upload-stream.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { QuicServer } from "../server/server.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import { QuicClient } from "./client.ts";
import { sendRequest } from "./send-request.ts";

const timerMsMax = 2_147_483_647;
const tooLong = { code: "OPTION_INVALID", message: /must be .* from 0 to 2147483647, got 2147483648$/ };
const names = [
  "connectTimeoutMs",
  "requestTimeoutMs",
  "keepAliveIntervalMs",
  "idleTimeoutMs",
  "drainTimeoutMs",
] as const;

test("times that no timer can hold are refused in the options, naming value and limit", () => {
  for (const name of names) {
    assert.doesNotThrow(() => new QuicClient({ [name]: timerMsMax }), name);
    assert.throws(() => new QuicClient({ [name]: timerMsMax + 1 }), tooLong, name);
    assert.throws(() => new QuicClient({ [name]: timerMsMax + 1 }), { message: new RegExp(`^${name} `) });
    assert.throws(() => new QuicClient({ [name]: Number.NaN }), { code: "OPTION_INVALID" }, name);
  }
});

test("and in every call; the longest one that can be held is no time-out", async () => {
  const transport = memoryTransport();
  await using server = await QuicServer.listen({
    transport,
    onCall: (call) => setImmediate(() => call.respond(create(instance.GetInstanceStatusResponseSchema))),
  });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address, requestTimeoutMs: timerMsMax });
  const status = create(instance.GetInstanceStatusRequestSchema);
  const timeoutMs = timerMsMax + 1;
  const connection = await client.connect();
  await client.call(status);
  await client.call(status, { timeoutMs: timerMsMax });
  await sendRequest(connection, status);
  await assert.rejects(client.call(status, { timeoutMs }), tooLong);
  await assert.rejects(sendRequest(connection, status, { timeoutMs }), tooLong);
  await assert.rejects(connection.openStream({ timeoutMs }), tooLong);
  await assert.rejects(client.flush({ timeoutMs }), tooLong);
  const start = create(environment.RegisterImageStreamStartSchema);
  await assert.rejects(uploadStream(client, start, new Uint8Array(1), { timeoutMs }), tooLong);
  await assert.rejects(uploadStream(client, start, new Uint8Array(1), { progressTimeoutMs: timeoutMs }), tooLong);
  assert.throws(() => new Guard({ progressTimeoutMs: timeoutMs }, () => {}), tooLong);
  assert.equal(server.stats().callsReceived, 3, "nothing of these was sent");
});
