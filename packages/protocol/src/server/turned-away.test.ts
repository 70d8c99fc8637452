import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { connect, type QuicConnection } from "@runtara/quic";
import { encodeRequest } from "../envelopes.ts";
import { encodeFrame, frameType } from "../frames.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import type { ServerFault } from "./faults.ts";
import { QuicServer } from "./server.ts";

function dial({ port }: QuicServer): Promise<QuicConnection> {
  const options = { serverName: "localhost", verify: "skip", connectTimeoutMs: 10_000 } as const;
  return connect({ host: "127.0.0.1", port, ...options });
}

test("clients over maxConnections are refused in the handshake, counted, and reported together", async () => {
  const faults: ServerFault[] = [];
  await using server = await QuicServer.listen({
    maxConnections: 2,
    onFault: (fault) => faults.push(fault),
    onCall: (call) => call.finish(),
  });
  const clients = [await dial(server), await dial(server)];
  for (let tried = 0; tried < 5; tried++) await assert.rejects(dial(server), { code: "CONNECT_FAILED" });
  const { connections, connectionsTotal, refused, faults: counts } = server.stats();
  assert.deepEqual([connections, connectionsTotal, refused.connections, counts.connectionRefused], [2, 2, 5, 5]);
  await server.close();
  assert.equal(
    faults.reduce((sum, { count }) => sum + count, 0),
    5,
    "all are reported at the latest when it closes",
  );
  assert.ok(faults.every(({ kind, message }) => kind === "connectionRefused" && message.includes("maxConnections")));
  for (const client of clients) await client.close();
});

test("answers that a client leaves unread are counted and reported", async () => {
  const faults: ServerFault[] = [];
  const checkpoint = create(instance.CheckpointResponseSchema, { found: true, state: new Uint8Array(4_194_304) });
  await using server = await QuicServer.listen({
    maxConnectionUnsentBytes: 4_194_304,
    onFault: (fault) => faults.push(fault),
    onCall: (call) => call.respond(checkpoint),
  });
  const client = await dial(server);
  const request = create(instance.CheckpointRequestSchema, { instanceId: "i", checkpointId: "c" });
  for (let asked = 0; asked < 10; asked++) {
    const stream = await client.openStream();
    await stream.write(encodeFrame(frameType.request, encodeRequest(request)));
  }
  while (server.stats().faults.answerUnread < 5) await new Promise(setImmediate);
  await client.close();
  await server.close();
  assert.ok(
    faults.some(({ kind, message }) => kind === "answerUnread" && message.includes("maxConnectionUnsentBytes")),
  );
});
