import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import { openStream } from "../client/rpc-stream.ts";
import { sendRequest } from "../client/send-request.ts";
import { environmentProtocol } from "../environment/protocol.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import { QuicServer } from "../server/server.ts";
import { testOnEach } from "../testing/each-transport.ts";
import { downloadStream } from "./download-stream.ts";
import { uploadStream } from "./upload-stream.ts";

const start = create(environment.RegisterImageStreamStartSchema, { tenantId: "t", name: "n" });
const get = create(environment.GetImageRequestSchema, { imageId: "i" });
const health = create(environment.HealthCheckRequestSchema);

testOnEach(
  "while no stream is free, time-outs and signals of uploads, downloads and streams hold",
  async (transport) => {
    const arrived = Promise.withResolvers<() => void>();
    const seen: string[] = [];
    await using server = await QuicServer.listen({
      transport,
      protocol: environmentProtocol,
      maxBiStreams: 1,
      onCall(call) {
        seen.push(call.request.case);
        const answer = (): void => call.respond(create(environment.HealthCheckResponseSchema));
        if (seen.length === 1) arrived.resolve(answer);
        else answer();
      },
    });
    const options = { transport, serverAddr: server.address, requestTimeoutMs: 0 };
    await using client = QuicClient.localhost(options);
    const busy = sendRequest(client, health);
    const answer = await arrived.promise;

    const body = new Uint8Array(10);
    const late = { name: "ProtocolError", code: "CALL_TIMEOUT" };
    await assert.rejects(uploadStream(client, start, body, { progressTimeoutMs: 30 }), {
      ...late,
      message: "read error: the peer has made no progress for 30 ms",
    });
    await assert.rejects(uploadStream(client, start, body, { timeoutMs: 30 }), {
      ...late,
      message: "read error: still waiting for a free stream after 30 ms",
    });
    await assert.rejects(downloadStream(client, get, { progressTimeoutMs: 30 }), late);
    await assert.rejects(openStream(client, start, { timeoutMs: 30 }), late);
    const connection = await client.connect();
    await assert.rejects(connection.openStream({ timeoutMs: 30 }), late);

    const abort = new AbortController();
    const aborted = { name: "ProtocolError", code: "CALL_ABORTED", cause: "enough" };
    const given = [
      uploadStream(client, start, body, { signal: abort.signal }),
      downloadStream(client, get, { signal: abort.signal }),
      openStream(client, start, { signal: abort.signal }),
      connection.openStream({ signal: abort.signal }),
    ].map((one) => assert.rejects(one, aborted));
    setImmediate(() => abort.abort("enough"));
    await Promise.all(given);

    // What was given up takes no stream from others, and no request frame of it was sent.
    answer();
    await busy;
    await sendRequest(client, health);
    assert.deepEqual(seen, ["healthCheck", "healthCheck"]);
  },
);

testOnEach("without a time-out of its own a stream is waited for as long as a call", async (transport) => {
  const arrived = Promise.withResolvers<void>();
  await using server = await QuicServer.listen({
    transport,
    protocol: environmentProtocol,
    maxBiStreams: 1,
    onCall: () => arrived.resolve(),
  });
  const options = { transport, serverAddr: server.address, requestTimeoutMs: 40, drainTimeoutMs: 0 };
  await using client = QuicClient.localhost(options);
  const busy = assert.rejects(sendRequest(client, health, { timeoutMs: 60_000 }), { code: "CONNECTION_CLOSED" });
  await arrived.promise;
  await assert.rejects(uploadStream(client, start, new Uint8Array(10)), { code: "CALL_TIMEOUT" });
  await client.close();
  await busy;
});
