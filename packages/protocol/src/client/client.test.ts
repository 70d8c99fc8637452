import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ProtocolError } from "../errors.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import type { ServerCall } from "../server/call.ts";
import { QuicServer } from "../server/server.ts";
import { QuicClient } from "./client.ts";
import { sendRequest } from "./send-request.ts";

const poll = create(instance.PollSignalsRequestSchema, { instanceId: "i" });
const nothing = create(instance.PollSignalsResponseSchema);
const answerPoll = (call: ServerCall): void => call.respond(nothing);

async function listenAnswering(bindAddr = "127.0.0.1:0"): Promise<QuicServer & { connectionCount: () => number }> {
  let count = 0;
  const server = await QuicServer.listen({
    bindAddr,
    onCall: answerPoll,
    onConnection: () => {
      count++;
    },
  });
  return Object.assign(server, { connectionCount: () => count });
}

test("connects with the first call, once for all callers, and keeps the connection", async () => {
  await using server = await listenAnswering();
  await using client = QuicClient.localhost({ serverAddr: server.address });
  assert.equal(client.isConnected, false);
  await Promise.all([sendRequest(client, poll), sendRequest(client, poll), client.connect()]);
  assert.equal(client.isConnected, true);
  const connection = await client.connect();
  assert.equal(await client.connect(), connection);
  assert.equal(connection.remoteAddress, server.address);
  assert.equal(server.connectionCount(), 1);
});

test("connects again with the next call after the connection is lost", async () => {
  const server = await listenAnswering();
  const { address } = server;
  await using client = QuicClient.localhost({ serverAddr: address });
  await sendRequest(client, poll);
  const connection = await client.connect();
  await server.close();
  const why = await connection.closed;
  assert.deepEqual([why.by, why.code, why.reason], ["peer", 0n, "server closing"]);
  assert.equal(connection.isOpen, false);
  assert.equal(client.isConnected, false);
  await assert.rejects(sendRequest(connection, poll), (error) => {
    assert.ok(error instanceof ProtocolError && error.code === "CONNECTION_CLOSED");
    assert.equal(error.closeReason, "server closing");
    return error.message.startsWith("connection error: ");
  });
  await using again = await listenAnswering(address);
  await sendRequest(client, poll);
  assert.equal(again.connectionCount(), 1);
});

test("close says so to the server, ends calls under way, and a later call connects again", async () => {
  const closed = Promise.withResolvers<{ by: string; code: bigint; reason: string }>();
  const arrived = Promise.withResolvers<void>();
  let isFirst = true;
  await using server = await QuicServer.listen({
    onCall(call) {
      if (!isFirst) return answerPoll(call);
      isFirst = false;
      arrived.resolve();
    },
    onConnectionClosed: (_, why) => closed.resolve(why),
  });
  await using client = QuicClient.localhost({ serverAddr: server.address });
  const cutOff = assert.rejects(sendRequest(client, poll), { name: "ProtocolError", code: "CONNECTION_CLOSED" });
  await arrived.promise;
  await client.close();
  await cutOff;
  const why = await closed.promise;
  assert.deepEqual([why.by, why.code, why.reason], ["peer", 0n, "client closing"]);
  await sendRequest(client, poll);
});

test("close while connecting: whoever waits is told", async () => {
  await using server = await listenAnswering();
  const client = QuicClient.localhost({ serverAddr: server.address });
  const connecting = assert.rejects(client.connect(), { code: "ENDPOINT_CLOSED" });
  await client.close();
  await connecting;
  await sendRequest(client, poll);
  await client.close();
});

test("nobody answers: CONNECT_TIMEOUT in the original's words, then it may be tried again", async () => {
  const silent = createSocket("udp4").bind(0, "127.0.0.1");
  await once(silent, "listening");
  const serverAddr = `127.0.0.1:${silent.address().port}`;
  const client = QuicClient.localhost({ serverAddr, connectTimeoutMs: 50 });
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(sendRequest(client, poll), {
      code: "CONNECT_TIMEOUT",
      message: "connection timed out after 50ms",
    });
  }
  silent.close();
});

test("requestTimeoutMs holds for calls that name no deadline, but not for those that wait on purpose", async () => {
  const sleeping: ServerCall[] = [];
  await using server = await QuicServer.listen({
    onCall: (call) => call.request.case === "sleep" && sleeping.push(call),
  });
  await using client = QuicClient.localhost({ serverAddr: server.address, requestTimeoutMs: 30 });
  const sleep = sendRequest(client, create(instance.SleepRequestSchema));
  await assert.rejects(sendRequest(client, poll), { code: "CALL_TIMEOUT" });
  for (const call of sleeping) call.respond(create(instance.SleepResponseSchema));
  assert.equal((await sleep).$typeName, "runtara.instance.SleepResponse");
});

test("host names and IPv6 addresses", async () => {
  await using four = await listenAnswering();
  await using six = await listenAnswering("[::1]:0");
  assert.match(six.address, /^\[::1\]:\d+$/);
  await using byName = QuicClient.localhost({ serverAddr: `localhost:${four.port}` });
  await using bySix = QuicClient.localhost({ serverAddr: six.address });
  await sendRequest(byName, poll);
  await sendRequest(bySix, poll);
});

test("certificates: verified against caPem and name, or not at all", async () => {
  await using server = await listenAnswering();
  const serverAddr = server.address;
  await using trusting = new QuicClient({ serverAddr, caPem: server.certificatePem });
  await sendRequest(trusting, poll);
  await using misnamed = new QuicClient({ serverAddr, caPem: server.certificatePem, serverName: "core.example" });
  await assert.rejects(sendRequest(misnamed, poll), { name: "ProtocolError", code: "TLS_FAILED" });
  await using strict = new QuicClient({ serverAddr, skipCertVerification: false });
  await assert.rejects(sendRequest(strict, poll), (error) => {
    assert.ok(error instanceof ProtocolError && error.code === "TLS_FAILED");
    return error.message.startsWith("connection error: ");
  });
});

test("a server on loopback is not verified by default, and this is said once", async () => {
  await using server = await listenAnswering();
  const warnings: string[] = [];
  await using client = new QuicClient({ serverAddr: server.address, onWarning: (text) => warnings.push(text) });
  await sendRequest(client, poll);
  await client.close();
  await sendRequest(client, poll);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /not verified/);
});

test("options that cannot be meant are refused at once", () => {
  const refuses = (options: ConstructorParameters<typeof QuicClient>[0], code: string): void =>
    assert.throws(() => new QuicClient(options), { name: "ProtocolError", code });
  refuses({ serverAddr: "nonsense" }, "ADDRESS_INVALID");
  refuses({ serverAddr: "127.0.0.1:0" }, "ADDRESS_INVALID");
  refuses({ connectTimeoutMs: -1 }, "OPTION_INVALID");
  refuses({ requestTimeoutMs: 0.5 }, "OPTION_INVALID");
  refuses({ skipCertVerification: true, caPem: "x" }, "OPTION_INVALID");
});

test("a bad server name and a bad certificate authority are told apart", async () => {
  await using server = await listenAnswering();
  await using misspelt = QuicClient.localhost({ serverAddr: server.address, serverName: "no name" });
  await assert.rejects(misspelt.connect(), (error) => {
    assert.ok(error instanceof ProtocolError && error.code === "SERVER_NAME_INVALID");
    return error.message.startsWith("invalid server name: ");
  });
  await using wrong = new QuicClient({ serverAddr: server.address, caPem: "no certificate" });
  await assert.rejects(wrong.connect(), { name: "ProtocolError", code: "CERTIFICATE_INVALID" });
});
