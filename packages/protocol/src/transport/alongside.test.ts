import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { certificateFingerprint, generateSelfSigned } from "@runtara/quic";
import { alongside } from "./alongside.ts";
import { http2Transport } from "./http2/transport.ts";
import type { DialOptions, Transport, TransportPeer } from "./port.ts";
import { quicTransport } from "./quic.ts";

const both = alongside(quicTransport, http2Transport);
const to = (port: number, verify: DialOptions["verify"]): DialOptions => ({
  host: "127.0.0.1",
  port,
  serverName: "localhost",
  verify,
  connectTimeoutMs: 20_000,
});

test("one port, one certificate, and connections that are told apart", async () => {
  const peers: TransportPeer[] = [];
  const ends: number[] = [];
  const listener = await both.listen(
    { host: "127.0.0.1", port: 0, certificate: "self-signed" },
    {
      onConnection: (peer) => peers.push(peer),
      onConnectionClosed: (peer) => ends.push(peer.id),
      onCall: (call) => call.respond(2, call.payload),
    },
  );
  const verify = { fingerprint: certificateFingerprint(listener.certificatePem) };
  const connections = [];
  for (const transport of [quicTransport, http2Transport, quicTransport, http2Transport]) {
    const connection = await transport.dial(to(listener.port, verify));
    await connection.call(1, Buffer.from(transport.name));
    connections.push(connection);
  }
  assert.equal(new Set(peers.map(({ id }) => id)).size, 4);
  const { connections: count, callsReceived } = listener.stats();
  assert.deepEqual([count, callsReceived], [4, 4]);
  listener.unref();
  listener.ref();

  const next = generateSelfSigned();
  listener.setCertificate(next);
  assert.equal(listener.certificatePem, next.certPem);
  for (const transport of [quicTransport, http2Transport]) {
    const connection = await transport.dial(to(listener.port, { caPem: next.certPem }));
    await connection.close();
  }
  const closed = Promise.all(connections.map((connection) => connection.closed));
  await listener.close(5, "over");
  for (const why of await closed) assert.deepEqual([why.by, why.code, why.reason], ["peer", 5n, "over"]);
  assert.equal(new Set(ends).size, 6);
});

test("a free port of the first that the second cannot have is given back, and another one is taken", async () => {
  const handlers = { onCall: () => assert.fail("nothing should arrive") };
  const options = { host: "127.0.0.1", port: 0, certificate: "self-signed" } as const;
  let ports: number[] = [];
  const first: Transport = {
    ...quicTransport,
    async listen(...given) {
      const listener = await quicTransport.listen(...given);
      ports.push(listener.port);
      // Taken before the second transport comes to it.
      if (ports.length < 3) taken.push(await http2Transport.listen({ ...options, port: listener.port }, handlers));
      return listener;
    },
  };
  const taken: Awaited<ReturnType<Transport["listen"]>>[] = [];
  const listener = await alongside(first, http2Transport).listen(options, handlers);
  assert.equal(ports.length, 3);
  assert.equal(listener.port, ports[2]);
  await listener.close();

  ports = [0, 0, 0];
  const port = taken[0]?.port ?? 0;
  await assert.rejects(alongside(first, http2Transport).listen({ ...options, port }, handlers), {
    code: "BIND_FAILED",
  });
  const free = await quicTransport.listen({ ...options, port }, handlers);
  await free.close();
  for (const one of taken) await one.close();
});

test("without the addon: HTTP/2 alone from PEM files, a clear error without them, and clients find their way", async () => {
  const folder = await mkdtemp(join(tmpdir(), "runtara-no-addon-"));
  const { certPem, keyPem } = generateSelfSigned();
  await writeFile(join(folder, "pair.json"), JSON.stringify({ certPem, keyPem }));
  const script = `
    import { readFileSync } from "node:fs";
    import { alongside, create, http2Transport, instance, QuicClient, QuicServer, quicTransport } from "@runtara/protocol";
    const certificate = JSON.parse(readFileSync("${join(folder, "pair.json")}", "utf8"));
    const onCall = (call) => call.respond(create(instance.GetInstanceStatusResponseSchema, { instanceId: "i" }));
    const warn = (text) => console.log(text.split(":")[0].replace(/\\d{4,5}/, "PORT"));
    const transport = alongside(quicTransport, http2Transport, warn);
    const server = await QuicServer.listen({ transport, certificate, onCall });
    for (const way of ["http2", "auto", "quic"]) {
      const client = new QuicClient({ serverAddr: server.address, caPem: certificate.certPem, transport: way, onWarning: warn });
      const answer = await client.request(instance.GetInstanceStatusRequestSchema, {}).catch((error) => error.code);
      console.log(way, answer.instanceId ?? answer, client.stats()?.transport);
      await client.close();
    }
    await server.close();
    for (const transport of [http2Transport, alongside(quicTransport, http2Transport)]) {
      await QuicServer.listen({ transport, onCall }).catch((error) =>
        console.log(error.code, /RUNTARA_TLS_CERT_FILE and RUNTARA_TLS_KEY_FILE/.test(error.message)));
    }
  `;
  const run = ["--conditions=runtara-src", "--input-type=module", "--eval", script];
  const env = { ...process.env, RUNTARA_QUIC_ADDON: "/nonexistent/quic.node" };
  const { stdout } = await promisify(execFile)(process.execPath, run, {
    env,
    cwd: import.meta.dirname,
    timeout: 60_000,
  });
  assert.deepEqual(stdout.trimEnd().split("\n"), [
    "listening over http2 only",
    "http2 i http2",
    "connected to 127.0.0.1",
    "auto i http2",
    "quic ADDON_MISSING undefined",
    "ADDON_MISSING true",
    "ADDON_MISSING true",
  ]);
  await rm(folder, { recursive: true });
});
