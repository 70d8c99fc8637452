import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import type { ServerCall } from "./call.ts";
import { QuicServer } from "./server.ts";

test("each call is told once it is over: its name, how it ended, and how long it took", async () => {
  const ended: string[] = [];
  const waiting = Promise.withResolvers<ServerCall>();
  const transport = memoryTransport();
  await using server = await QuicServer.listen({
    transport,
    onCall(call) {
      if (call.request.case === "sleep") waiting.resolve(call);
      else if (call.request.case === "pollSignals") call.respond(create(instance.PollSignalsResponseSchema));
      else if (call.request.case === "retryAttempt") call.fail("RETRY_ATTEMPT_ERROR", "no");
      else if (call.request.case === "signalAck") call.finish();
      else throw new Error("broken");
    },
    onCallEnded(operation, outcome, tookMs) {
      assert.ok(tookMs >= 0 && tookMs < 600_000, String(tookMs));
      ended.push(`${operation} ${outcome}`);
    },
  });
  const client = QuicClient.localhost({ transport, serverAddr: server.address, retry: { triesMax: 1 } });
  await client.call(create(instance.PollSignalsRequestSchema));
  await assert.rejects(client.call(create(instance.CheckpointRequestSchema)));
  await assert.rejects(client.call(create(instance.RetryAttemptEventSchema)));
  await client.call(create(instance.SignalAckSchema));
  const cut = assert.rejects(client.call(create(instance.SleepRequestSchema)));
  await waiting.promise;
  await client.close();
  await cut;
  await server.drain({ graceMs: 5_000 });
  assert.deepEqual(ended, [
    "pollSignals ok",
    "checkpoint error",
    "retryAttempt undone",
    "signalAck ok",
    "sleep aborted",
  ]);
});
