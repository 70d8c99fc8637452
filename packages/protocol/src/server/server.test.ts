import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import { sendRequest } from "../client/send-request.ts";
import { ProtocolError } from "../errors.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { testOnEach } from "../testing/each-transport.ts";
import type { ServerCall } from "./call.ts";
import type { ServerFault } from "./faults.ts";
import { QuicServer } from "./server.ts";

const poll = create(instance.PollSignalsRequestSchema, { instanceId: "i" });
const nothing = create(instance.PollSignalsResponseSchema);

test("iterating: connections, and on each of them its calls, until the end", async () => {
  const server = await QuicServer.listen();
  const seen: string[] = [];
  const serving = (async () => {
    const connections: Promise<void>[] = [];
    for await (const connection of server) {
      const serve = async (): Promise<void> => {
        for await (const call of connection) {
          seen.push(String(call.request.case));
          call.respond(nothing);
        }
        seen.push("end of a connection");
      };
      connections.push(serve());
    }
    await Promise.all(connections);
    seen.push("end of the server");
  })();
  for (let i = 0; i < 2; i++) {
    await using client = QuicClient.localhost({ serverAddr: server.address });
    await sendRequest(client, poll);
    await sendRequest(client, poll);
  }
  await server.close();
  await serving;
  assert.equal(seen.filter((what) => what === "pollSignals").length, 4);
  assert.equal(seen.filter((what) => what === "end of a connection").length, 2);
  assert.equal(seen.at(-1), "end of the server");
});

test("onDrained comes after every batch of calls, so that a group is answered at once", async () => {
  let waiting: ServerCall[] = [];
  let drains = 0;
  await using server = await QuicServer.listen({
    onCall: (call) => waiting.push(call),
    onDrained() {
      drains++;
      for (const call of waiting.splice(0)) call.respond(nothing);
    },
  });
  await using client = QuicClient.localhost({ serverAddr: server.address });
  await Promise.all(Array.from({ length: 500 }, () => sendRequest(client, poll)));
  waiting = [];
  assert.ok(drains > 0 && drains < 500, `${drains} drains`);
});

test("the first answer counts, later ones are ignored", async () => {
  await using server = await QuicServer.listen({
    onCall(call) {
      assert.equal(call.isAnswered, false);
      call.respondError("FIRST", "first");
      assert.equal(call.isAnswered, true);
      call.respond(nothing);
      call.respondError("SECOND", "second");
      call.finish();
    },
  });
  await using client = QuicClient.localhost({ serverAddr: server.address });
  await assert.rejects(sendRequest(client, poll), { rpcCode: "FIRST" });
});

test("a message that is no response can still be replaced by one", async () => {
  await using server = await QuicServer.listen({
    onCall(call) {
      const wrong = poll as unknown as instance.PollSignalsResponse;
      assert.throws(() => call.respond(wrong), { name: "ProtocolError", code: "MESSAGE_UNKNOWN" });
      call.respond(nothing);
    },
  });
  await using client = QuicClient.localhost({ serverAddr: server.address });
  await sendRequest(client, poll);
});

testOnEach("I10: a handler that throws fails its own call only, and is reported", async (transport) => {
  const faults: ServerFault[] = [];
  const failure = new Error("a bug");
  await using server = await QuicServer.listen({
    transport,
    faultIntervalMs: 0,
    onCall(call) {
      if (call.request.case !== "pollSignals") throw failure;
      call.respond(nothing);
    },
    onFault: (fault) => faults.push(fault),
  });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const failed = { code: "RPC", fineCode: "INTERNAL", isRetryable: false };
  await assert.rejects(sendRequest(client, create(instance.SleepRequestSchema)), {
    ...failed,
    rpcCode: "SLEEP_ERROR",
    message: "the handler of sleep failed",
  });
  await sendRequest(client, poll);
  assert.deepEqual([faults.length, faults[0]?.kind, faults[0]?.error], [1, "handlerFailed", failure]);
  // Nor is work acknowledged that a handler has dropped.
  const event = { instanceId: "i", checkpointId: "c", attemptNumber: 1 };
  const undone = { code: "STREAM_RESET", resetCode: 2n };
  await assert.rejects(sendRequest(client, create(instance.RetryAttemptEventSchema, event)), undone);
  const fenceable = create(instance.RetryAttemptEventSchema, { ...event, epoch: 3n });
  await assert.rejects(sendRequest(client, fenceable), { ...failed, rpcCode: "RETRY_ATTEMPT_ERROR" });
});

test("connections over maxConcurrentHandlers are refused with the reason, until another one ends", async () => {
  const faults: ServerFault[] = [];
  const closed = Promise.withResolvers<void>();
  await using server = await QuicServer.listen({
    maxConcurrentHandlers: 1,
    onCall: (call) => call.respond(nothing),
    onConnectionClosed: () => closed.resolve(),
    onFault: (fault) => faults.push(fault),
  });
  const first = QuicClient.localhost({ serverAddr: server.address });
  await sendRequest(first, poll);
  await using second = QuicClient.localhost({ serverAddr: server.address });
  await assert.rejects(sendRequest(second, poll), (error) => {
    assert.ok(error instanceof ProtocolError && error.code === "CONNECTION_CLOSED", String(error));
    return error.message.includes("1 connections are the limit");
  });
  assert.equal(faults[0]?.kind, "connectionRefused");
  await first.close();
  await closed.promise;
  await sendRequest(second, poll);
});

test("onAborted tells of a client that has gone; answering it is harmless", async () => {
  const aborted = Promise.withResolvers<ServerCall>();
  const arrived = Promise.withResolvers<void>();
  await using server = await QuicServer.listen({
    onCall(call) {
      call.onAborted = () => aborted.resolve(call);
      arrived.resolve();
    },
  });
  const client = QuicClient.localhost({ serverAddr: server.address });
  const sleeping = sendRequest(client, create(instance.SleepRequestSchema)).catch((error: unknown) => error);
  await arrived.promise;
  await client.close();
  const call = await aborted.promise;
  assert.equal(call.isAborted, true);
  call.respond(create(instance.SleepResponseSchema));
  assert.ok((await sleeping) instanceof ProtocolError);
});

test("a connection carries data of the server's own, and can be closed with a reason", async () => {
  await using server = await QuicServer.listen({
    onConnection(connection) {
      connection.data = { calls: 0 };
    },
    onCall(call) {
      const data = call.connection.data as { calls: number };
      if (++data.calls === 2) call.connection.close(7, "enough");
      else call.respond(nothing);
    },
  });
  await using client = QuicClient.localhost({ serverAddr: server.address });
  await sendRequest(client, poll);
  await assert.rejects(sendRequest(client, poll), { closeCode: 7n, closeReason: "enough" });
});

test("a port in use, an address that is none, a bad certificate: refused with what is wrong", async () => {
  await using server = await QuicServer.listen();
  await assert.rejects(QuicServer.listen({ bindAddr: server.address }), (error) => {
    assert.ok(error instanceof ProtocolError && error.code === "BIND_FAILED");
    assert.ok(error.message.startsWith("bind error: ") && error.message.includes(server.address), error.message);
    return true;
  });
  await assert.rejects(QuicServer.listen({ bindAddr: "8001" }), { code: "ADDRESS_INVALID" });
  await assert.rejects(QuicServer.listen({ maxBiStreams: -1 }), { code: "OPTION_INVALID" });
  const certificate = { certPem: "no", keyPem: "no" };
  await assert.rejects(QuicServer.listen({ certificate }), { name: "ProtocolError", code: "CERTIFICATE_INVALID" });
});

test("close is idempotent", async () => {
  const server = await QuicServer.listen();
  await Promise.all([server.close(), server.close()]);
  await server.close();
});
