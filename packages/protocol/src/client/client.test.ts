import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type CertificatePair, certificateFingerprint, generateCertificate } from "@runtara/quic";
import { ProtocolError } from "../errors.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import type { ServerCall } from "../server/call.ts";
import { QuicServer } from "../server/server.ts";
import { http2Transport } from "../transport/http2/transport.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import type { Transport } from "../transport/port.ts";
import { quicTransport } from "../transport/quic.ts";
import { QuicClient } from "./client.ts";
import type { ClientOptions } from "./options.ts";
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
      message: /^connection timed out after 50ms to 127\.0\.0\.1:\d+ over QUIC \(UDP\): .*transport: "auto"/,
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
  await using strict = new QuicClient({ serverAddr, dangerouslySkipVerification: false });
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
  const trusts = [
    { dangerouslySkipVerification: true },
    { caPem: generateCertificate({ names: ["authority"], usage: "ca", days: 1 }).certPem },
    { serverFingerprint: "0".repeat(64) },
    { systemRoots: true },
  ];
  for (const one of trusts) {
    for (const other of trusts) if (one !== other) refuses({ ...one, ...other }, "OPTION_INVALID");
    assert.doesNotThrow(() => new QuicClient({ dangerouslySkipVerification: false, systemRoots: false, ...one }));
  }
  refuses({ serverFingerprint: "12:34" }, "OPTION_INVALID");
  refuses({ transport: "tcp" as "quic" }, "OPTION_INVALID");
});

test("a pinned certificate is the only one that is taken, whatever its name", async () => {
  await using server = await listenAnswering();
  const serverFingerprint = certificateFingerprint(server.certificatePem);
  const serverAddr = server.address;
  await using pinning = new QuicClient({ serverAddr, serverFingerprint, serverName: "core.example" });
  await sendRequest(pinning, poll);
  await using other = new QuicClient({ serverAddr, serverFingerprint: "00".repeat(32) });
  await assert.rejects(other.connect(), { code: "TLS_FAILED", tlsCode: "TLS_CERTIFICATE_UNKNOWN" });
  await using local = QuicClient.localhost({ serverAddr, serverFingerprint });
  await sendRequest(local, poll);
});

test("mutual TLS: a client without a certificate is told so", async () => {
  const ca = generateCertificate({ names: ["authority"], usage: "ca", days: 1 });
  const made = (usage: "server" | "client"): CertificatePair =>
    generateCertificate({ names: ["localhost"], usage, issuer: ca, days: 1 });
  for (const transport of [quicTransport, http2Transport]) {
    const options = { host: "127.0.0.1", port: 0, certificate: made("server"), clientCaPem: ca.certPem };
    const listener = await transport.listen(options, { onCall: (call) => call.finish() });
    const common = { serverAddr: `127.0.0.1:${listener.port}`, caPem: ca.certPem, transport };
    await using known = new QuicClient({ ...common, certificate: made("client") });
    await sendRequest(known, create(instance.SignalAckSchema, { instanceId: "i" }));
    await using unknown = new QuicClient(common);
    await assert.rejects(unknown.connect(), { code: "TLS_FAILED", tlsCode: "TLS_CLIENT_CERTIFICATE_REQUIRED" });
    await listener.close();
  }
});

test("statistics of the connection in use, and of the client", async () => {
  for (const transport of ["quic", "http2"] as const) {
    const network = transport === "quic" ? quicTransport : http2Transport;
    await using server = await QuicServer.listen({ transport: network, onCall: answerPoll });
    await using client = QuicClient.localhost({ serverAddr: server.address, transport });
    assert.equal(client.stats(), undefined);
    await sendRequest(client, poll);
    const stats = client.stats();
    assert.deepEqual([stats?.transport, stats?.reconnects, stats?.callsInFlight], [transport, 0, 0]);
    assert.equal(stats?.remoteAddress, server.address);
    assert.ok((stats?.bytesSent ?? 0) > 0 && (stats?.bytesReceived ?? 0) > 0);
    assert.equal(stats?.packetsLost === undefined, transport === "http2");
    await client.close();
    assert.equal(client.stats(), undefined);
    await sendRequest(client, poll);
    assert.equal(client.stats()?.reconnects, 1);
  }
});

test("a connection moves to another local address, where its network can", async () => {
  await using server = await listenAnswering();
  await using client = QuicClient.localhost({ serverAddr: server.address });
  const connection = await client.connect();
  await connection.rebind();
  await sendRequest(client, poll);
  assert.equal(server.connectionCount(), 1);
  await connection.close();
  await assert.rejects(connection.rebind(), { code: "CONNECTION_CLOSED" });
});

test("failing to connect backs off, jittered, and callers share the attempt; closing ends the wait", async () => {
  const transport = memoryTransport();
  const dialledAt: number[] = [];
  const counting: Transport = {
    ...transport,
    name: "memory",
    listen: (...given) => transport.listen(...given),
    dial(options) {
      dialledAt.push(performance.now());
      return transport.dial(options);
    },
  };
  const retry = { delayMsMin: 40, delayMsMax: 1_000 };
  const client = QuicClient.localhost({ transport: counting, serverAddr: "127.0.0.1:7", retry });
  for (let round = 0; round < 3; round++) {
    const failed = await Promise.allSettled([client.connect(), client.connect(), client.connect()]);
    for (const one of failed) assert.equal(one.status, "rejected");
  }
  const [first = 0, second = 0, third = 0, more] = dialledAt;
  assert.equal(more, undefined, "one attempt for all callers");
  assert.ok(second - first >= 19 && third - second >= 39, `${second - first} and ${third - second} ms`);

  await using server = await QuicServer.listen({ transport, bindAddr: "127.0.0.1:7", onCall: answerPoll });
  await sendRequest(client, poll);
  await client.close();
  await server.close();
  const patient = QuicClient.localhost({
    transport,
    serverAddr: "127.0.0.1:7",
    retry: { delayMsMin: 60_000, delayMsMax: 60_000 },
  });
  await assert.rejects(patient.connect(), { code: "CONNECT_FAILED" });
  const waiting = assert.rejects(patient.connect(), { code: "ENDPOINT_CLOSED" });
  await patient.close();
  await waiting;
});

test("flush waits for the acknowledgements of calls without an answer, and tells of failures", async () => {
  const transport = memoryTransport();
  const ack = create(instance.SignalAckSchema, { instanceId: "i" });
  const waiting: ServerCall[] = [];
  const arrived = Promise.withResolvers<void>();
  let handle = (call: ServerCall): void => {
    if (waiting.push(call) === 2) arrived.resolve();
  };
  await using server = await QuicServer.listen({ transport, onCall: (call) => handle(call) });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  await client.flush();
  const sent = [client.call(ack), sendRequest(client, ack)];
  await arrived.promise;
  await assert.rejects(client.flush({ timeoutMs: 10 }), { code: "CALL_TIMEOUT" });
  let isFlushed = false;
  const flushed = client.flush().then(() => {
    isFlushed = true;
  });
  waiting[0]?.finish();
  await Promise.race(sent);
  assert.equal(isFlushed, false);
  waiting[1]?.finish();
  await flushed;
  await Promise.all(sent);

  handle = (call) => call.respondError("SIGNAL_ACK_ERROR", "no");
  const refused = client.call(ack);
  await assert.rejects(client.flush(), { code: "RPC", rpcCode: "SIGNAL_ACK_ERROR" });
  await assert.rejects(refused, { code: "RPC" });
  await client.flush();
});

test("a bad server name, authority or certificate is refused at once, and the option is named", () => {
  const ca = generateCertificate({ names: ["authority"], usage: "ca", days: 1 });
  const pair = generateCertificate({ names: ["client"], usage: "client", issuer: ca, days: 1 });
  const refuses = (options: ClientOptions, code: string, message: RegExp): void =>
    assert.throws(() => new QuicClient(options), { name: "ProtocolError", code, message });
  refuses({ serverName: "no name" }, "SERVER_NAME_INVALID", /^invalid server name: "no name"/);
  refuses({ caPem: "no certificate" }, "CERTIFICATE_INVALID", /^caPem holds no certificate/);
  const broken = ca.certPem.replace(/\n.{20}/, "\n");
  refuses({ caPem: `${ca.certPem}${broken}` }, "CERTIFICATE_INVALID", /^caPem holds no certificate/);
  refuses({ certificate: { ...pair, certPem: "" } }, "CERTIFICATE_INVALID", /^certificate\.certPem holds no/);
  refuses({ certificate: { ...pair, keyPem: "key" } }, "CERTIFICATE_INVALID", /^certificate\.keyPem holds no/);
  refuses({ certificate: { ...pair, keyPem: ca.keyPem } }, "CERTIFICATE_INVALID", /keyPem does not belong to/);
  const two = `# bundle\n${ca.certPem}\n${pair.certPem}`;
  assert.doesNotThrow(() => new QuicClient({ caPem: two, certificate: pair, serverName: "core.example." }));
});
