import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { generateCertificate } from "@runtara/quic";
import { QuicClient } from "../client/client.ts";
import { request, sendRequest } from "../client/send-request.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { instanceProtocol } from "../instance/protocol.ts";
import { http2Transport } from "../transport/http2/transport.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import { quicTransport } from "../transport/quic.ts";
import { serve } from "./serve.ts";
import type { ServeContext } from "./serve-context.ts";
import { QuicServer } from "./server.ts";
import type { Service } from "./service.ts";

const poll = create(instance.PollSignalsRequestSchema, { instanceId: "i" });
const authority = generateCertificate({ names: ["Example authority"], usage: "ca", days: 10 });
const serverPair = generateCertificate({ names: ["localhost"], usage: "server", issuer: authority, days: 10 });

/** Answers registrations with who the client is. */
function whoIsIt(): Service<instance.RpcRequest, instance.RpcResponse> {
  const refuse = (): never => {
    throw new Error("registrations only");
  };
  const tell = (context: ServeContext<instance.RpcRequest, instance.RpcResponse>): string => {
    assert.equal(context.peerCertificate, context.connection.peerCertificate);
    return context.peerCertificate?.dnsNames.join() ?? "nobody";
  };
  return {
    registerInstance: (_, context) => create(instance.RegisterInstanceResponseSchema, { error: tell(context) }),
    checkpoint: refuse,
    getCheckpoint: refuse,
    instanceEvent: refuse,
    instanceEventBatch: refuse,
    getInstanceStatus: refuse,
    pollSignals: refuse,
    signalAck: refuse,
    retryAttempt: refuse,
    sleep: refuse,
  };
}

for (const transport of [quicTransport, http2Transport]) {
  test(`${transport.name}: handlers know who the client has proved to be; without a certificate nobody comes in`, async () => {
    const served = serve(instanceProtocol, whoIsIt());
    const clientCaPem = authority.certPem;
    await using server = await QuicServer.listen({ transport, certificate: serverPair, clientCaPem, ...served });
    const certificate = generateCertificate({ names: ["worker-7"], usage: "client", issuer: authority, days: 10 });
    const settings = { transport, serverAddr: server.address, caPem: authority.certPem };
    await using worker = new QuicClient({ ...settings, certificate });
    const answer = await request(worker, instance.RegisterInstanceRequestSchema, {});
    assert.equal(answer.error, "worker-7");
    await using stranger = new QuicClient(settings);
    const error = { code: "TLS_FAILED", tlsCode: "TLS_CLIENT_CERTIFICATE_REQUIRED" };
    await assert.rejects(request(stranger, instance.RegisterInstanceRequestSchema, {}), error);
  });

  test(`${transport.name}: another certificate is shown from the next handshake on; a bad one changes nothing`, async () => {
    const onCall = (call: { respond(message: instance.PollSignalsResponse): void }): void =>
      call.respond(create(instance.PollSignalsResponseSchema));
    await using server = await QuicServer.listen({ transport, onCall });
    const before = server.certificatePem;
    const connect = (caPem: string): QuicClient => new QuicClient({ transport, serverAddr: server.address, caPem });
    await using early = connect(before);
    await sendRequest(early, poll);

    server.setCertificate(serverPair);
    assert.equal(server.certificatePem, serverPair.certPem);
    await sendRequest(early, poll);
    await using late = connect(authority.certPem);
    await sendRequest(late, poll);
    await using stale = connect(before);
    await assert.rejects(sendRequest(stale, poll), { code: "TLS_FAILED", tlsCode: "TLS_CERTIFICATE_UNKNOWN" });

    const error = { name: "ProtocolError", code: "CERTIFICATE_INVALID" };
    assert.throws(() => server.setCertificate({ certPem: "no", keyPem: "no" }), error);
    assert.equal(server.certificatePem, serverPair.certPem);
    await using still = connect(authority.certPem);
    await sendRequest(still, poll);
    await server.close();
    assert.throws(() => server.setCertificate(serverPair), { name: "ProtocolError", code: "ENDPOINT_CLOSED" });
    assert.throws(() => server.stats(), { name: "ProtocolError", code: "ENDPOINT_CLOSED" });
  });
}

test("http2: the same server on the same port number over both networks", async () => {
  const connections: string[] = [];
  await using server = await QuicServer.listen({
    http2: true,
    onConnection: ({ remoteAddress }) => connections.push(remoteAddress),
    onCall: (call) => call.respond(create(instance.PollSignalsResponseSchema)),
  });
  for (const transport of ["quic", "http2"] as const) {
    await using client = QuicClient.localhost({ transport, serverAddr: server.address });
    await sendRequest(client, poll);
  }
  assert.equal(connections.length, 2);
  const { connectionsTotal, callsTotal } = server.stats();
  assert.deepEqual([connectionsTotal, callsTotal], [2, 2]);
  await assert.rejects(QuicServer.listen({ http2: true, transport: memoryTransport() }), { code: "OPTION_INVALID" });
});

test("a reset key is 32 bytes", async () => {
  await using server = await QuicServer.listen({ resetKey: new Uint8Array(32).fill(9) });
  assert.ok(server.port > 0);
  await assert.rejects(QuicServer.listen({ resetKey: new Uint8Array(31) }), {
    code: "OPTION_INVALID",
    message: "resetKey must have 32 bytes, got 31; make them once and keep them",
  });
});
