import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { QuicConnection } from "@runtara/quic";
import { QuicClient } from "../client/client.ts";
import { sendRequest } from "../client/send-request.ts";
import { encodeRequest } from "../envelopes.ts";
import { encodeFrame, frameType } from "../frames.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { connectRaw } from "../testing/raw-stream.ts";
import type { ServerFault } from "./faults.ts";
import { QuicServer } from "./server.ts";

const poll = create(instance.PollSignalsRequestSchema, { instanceId: "i" });
const sleep = create(instance.SleepRequestSchema, { instanceId: "i" });
const frame = (message: Parameters<typeof encodeRequest>[0]): Uint8Array =>
  encodeFrame(frameType.request, encodeRequest(message));

/** Opens streams with `message` on them, as many as the server lets in, and never reads. */
async function flood(connection: QuicConnection, message: Parameters<typeof frame>[0], count: number): Promise<void> {
  const bytes = frame(message);
  for (let i = 0; i < count; i++) {
    const stream = await connection.openStream();
    await stream.write(bytes);
  }
}

test("I10: a peer that opens streams and never reads the answers holds only its own streams", async () => {
  const maxBiStreams = 50;
  const state = new Uint8Array(200_000);
  const flooded = Promise.withResolvers<void>();
  let checkpoints = 0;
  await using server = await QuicServer.listen({
    maxBiStreams,
    onCall(call) {
      if (call.request.case !== "checkpoint") return call.respond(create(instance.PollSignalsResponseSchema));
      if (++checkpoints === maxBiStreams) flooded.resolve();
      call.respond(create(instance.CheckpointResponseSchema, { found: true, state }));
    },
  });
  const hostile = await connectRaw(server);
  // It would like ten times as many; what is over the limit waits on its side until it is cut off.
  const attack = flood(hostile, create(instance.CheckpointRequestSchema), 10 * maxBiStreams).catch(() => undefined);
  await flooded.promise;
  await using client = QuicClient.localhost({ serverAddr: server.address });
  for (let i = 0; i < 100; i++) await sendRequest(client, poll);
  const { openCalls, bytesInFlight } = server.stats();
  assert.deepEqual([checkpoints, openCalls, bytesInFlight], [maxBiStreams, 0, 0]);
  await hostile.close();
  await attack;
});

test("I10: a peer that fills the server with calls it never ends has the others refused at once, until it goes", async () => {
  const maxOpenCalls = 200;
  const faults: ServerFault[] = [];
  await using server = await QuicServer.listen({
    maxOpenCalls,
    onCall(call) {
      if (call.request.case === "pollSignals") call.respond(create(instance.PollSignalsResponseSchema));
    },
    onFault: (fault) => faults.push(fault),
  });
  await using client = QuicClient.localhost({ serverAddr: server.address });
  await sendRequest(client, poll);
  const hostile = await connectRaw(server);
  await flood(hostile, sleep, maxOpenCalls + 100);
  while (server.stats().refused.openCalls < 100) await new Promise(setImmediate);
  assert.equal(server.stats().openCalls, maxOpenCalls);
  const hints: number[] = [];
  for (let i = 0; i < 20; i++) {
    await assert.rejects(sendRequest(client, poll), (error: Error & { fineCode?: string; retryAfterMs?: number }) => {
      hints.push(error.retryAfterMs ?? 0);
      return error.fineCode === "OVERLOADED";
    });
  }
  assert.ok(new Set(hints).size > 1, `${hints}`);
  assert.ok(faults.length < 10, `${faults.length} reports`);
  await hostile.close();
  while (server.stats().openCalls > 0) await new Promise(setImmediate);
  await sendRequest(client, poll);
});

test("I10: connecting, flooding and leaving, again and again, does not get past the limit", async () => {
  const maxOpenCalls = 100;
  let calls = 0;
  let left = maxOpenCalls;
  const expired = Promise.withResolvers<void>();
  await using server = await QuicServer.listen({
    maxOpenCalls,
    requestTimeoutMs: 2_000,
    faultIntervalMs: 0,
    onCall: () => void calls++,
    onFault: ({ kind }) => kind === "deadlineExceeded" && --left === 0 && expired.resolve(),
  });
  for (let round = 0; round < 5; round++) {
    const seen = server.stats().callsReceived;
    const hostile = await connectRaw(server);
    await flood(hostile, poll, 60);
    while (server.stats().callsReceived < seen + 60) await new Promise(setImmediate);
    await hostile.close();
  }
  while (server.stats().connections > 0) await new Promise(setImmediate);
  const { openCalls, refused } = server.stats();
  // The handlers have not ended theirs, although nobody waits for them.
  assert.deepEqual([calls, openCalls, refused.openCalls], [maxOpenCalls, maxOpenCalls, 300 - maxOpenCalls]);
  await expired.promise;
  assert.equal(server.stats().openCalls, 0);
});
