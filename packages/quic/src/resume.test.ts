import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type CertificatePair,
  type ConnectOptions,
  certificateFingerprint,
  connect,
  generateCertificate,
  generateSelfSigned,
  type QuicListener,
} from "./index.ts";
import { failure, serve } from "./peers.test.helper.ts";

const none = new Uint8Array(0);

interface Authority {
  readonly ca: CertificatePair;
  server(name?: string, notAfter?: Date): CertificatePair;
  client(name: string, notAfter?: Date): CertificatePair;
}

function authority(): Authority {
  const ca = generateCertificate({ names: ["authority"], usage: "ca", days: 1 });
  const made = (name: string, usage: "server" | "client", notAfter?: Date): CertificatePair =>
    generateCertificate({ names: [name], usage, issuer: ca, days: 1, ...(notAfter && { notAfter }) });
  return {
    ca,
    server: (name = "localhost", notAfter) => made(name, "server", notAfter),
    client: (name, notAfter) => made(name, "client", notAfter),
  };
}

/** Connects, makes a call, behind which the tickets have come, closes, and tells whether the session was resumed. */
async function visit(listener: QuicListener, options: Partial<ConnectOptions>): Promise<boolean> {
  const { host, port } = listener;
  const base = { host, port, serverName: "localhost", verify: "skip", connectTimeoutMs: 10_000 } as const;
  const connection = await connect({ ...base, ...options });
  await connection.call(1, none);
  await connection.close();
  return connection.isResumed;
}

async function visits(listener: QuicListener, ...options: Partial<ConnectOptions>[]): Promise<boolean[]> {
  const resumed: boolean[] = [];
  for (const one of options) resumed.push(await visit(listener, one));
  return resumed;
}

test("the second connection resumes the first one's session, and the third the second one's", async (t) => {
  const listener = await serve(t);
  const pinned = { fingerprint: certificateFingerprint(listener.certificatePem) };
  for (const verify of ["skip", { caPem: listener.certificatePem }, pinned] as const) {
    assert.deepEqual(await visits(listener, { verify }, { verify }, { verify }), [false, true, true]);
  }
});

test("without resumption nothing is taken up or kept", async (t) => {
  const listener = await serve(t);
  const off = { resumption: false };
  assert.deepEqual(await visits(listener, off, off, {}, off, {}), [false, false, false, false, true]);
});

test("a session is resumed only with the same name, the same trust and the same identity", async (t) => {
  const { ca, client } = authority();
  const listener = await serve(t, {}, { clientCaPem: ca.certPem });
  const verify = { caPem: listener.certificatePem };
  const pin = { fingerprint: certificateFingerprint(listener.certificatePem) };
  const [one, two] = [client("one.example"), client("two.example")];
  const first = { verify, certificate: one };
  const others = [
    { verify: "skip", certificate: one },
    { verify: pin, certificate: one },
    { verify: { caPem: `${listener.certificatePem}${ca.certPem}` }, certificate: one },
    { verify, certificate: two },
    { verify, certificate: one, serverName: "127.0.0.1" },
  ] as const;
  assert.deepEqual(await visits(listener, first, ...others), [false, false, false, false, false, false]);
  assert.deepEqual(await visits(listener, first, ...others), [true, true, true, true, true, true]);
});

test("what a full handshake refuses, a kept session does not get past", async (t) => {
  const [mine, foreign] = [authority(), authority()];
  const listener = await serve(t, {}, { certificate: mine.server() });
  const verify = { caPem: mine.ca.certPem };
  assert.deepEqual(await visits(listener, { verify }, { verify }), [false, true]);
  await failure(visit(listener, { verify: { caPem: foreign.ca.certPem } }), "TLS_CERTIFICATE_UNKNOWN");
  await failure(visit(listener, { verify: { fingerprint: "00".repeat(32) } }), "TLS_CERTIFICATE_UNKNOWN");
  await failure(visit(listener, { verify, serverName: "other.example" }), "TLS_NAME_MISMATCH");
  await failure(visit(listener, { verify: "roots" }), "TLS_CERTIFICATE_UNKNOWN");
  assert.equal(await visit(listener, { verify }), true);
});

test("a changed server certificate is judged anew: tickets of the old one are worth nothing", async (t) => {
  const [mine, foreign] = [authority(), authority()];
  const old = mine.server();
  const listener = await serve(t, {}, { certificate: old });
  const verify = { caPem: mine.ca.certPem };
  const pin = { verify: { fingerprint: certificateFingerprint(old.certPem) } };
  assert.deepEqual(await visits(listener, { verify }, { verify }, pin, pin), [false, true, false, true]);
  listener.setCertificate(mine.server());
  assert.equal(await visit(listener, { verify }), false, "a renewed certificate costs one full handshake");
  assert.equal(await visit(listener, { verify }), true);
  await failure(visit(listener, pin), "TLS_CERTIFICATE_UNKNOWN");
  listener.setCertificate(foreign.server());
  await failure(visit(listener, { verify }), "TLS_CERTIFICATE_UNKNOWN");
  listener.setCertificate(old);
  const [first, second] = await visits(listener, { verify }, { verify });
  assert.ok(typeof first === "boolean");
  assert.equal(second, true, "the ticket keys outlive all this");
});

test("a session does not outlive the certificates with which it began, on either side", async (t) => {
  const mine = authority();
  const end = new Date(1_000 * Math.ceil(Date.now() / 1_000 + 2));
  const verify = { caPem: mine.ca.certPem };
  const short = await serve(t, {}, { certificate: mine.server("localhost", end) });
  const strict = await serve(t, {}, { certificate: mine.server(), clientCaPem: mine.ca.certPem });
  const worker = { verify, certificate: mine.client("worker.example", end) };
  assert.deepEqual(await visits(short, { verify }, { verify }), [false, true]);
  assert.deepEqual(await visits(strict, worker, worker), [false, true]);
  while (Date.now() <= end.getTime() + 1_000) await sleep(50);
  await failure(visit(short, { verify }), "TLS_CERTIFICATE_EXPIRED");
  await failure(visit(strict, worker), "TLS_CERTIFICATE_EXPIRED");
});

test("a server knows the client of a resumed session by its certificate", async (t) => {
  const { ca, client } = authority();
  const names: unknown[] = [];
  const onConnection = (connection: { peerCertificate: { dnsNames: readonly string[] } | undefined }): void => {
    names.push(connection.peerCertificate?.dnsNames[0]);
  };
  const listener = await serve(t, { onConnection }, { clientCaPem: ca.certPem });
  const certificate = client("worker-7.example");
  assert.deepEqual(await visits(listener, { certificate }, { certificate }), [false, true]);
  assert.deepEqual(names, ["worker-7.example", "worker-7.example"]);
  await failure(visit(listener, {}), "TLS_CLIENT_CERTIFICATE_REQUIRED");
});

test("a server that has started again makes a full handshake of it", async (t) => {
  const certificate = generateSelfSigned();
  const verify = { caPem: certificate.certPem };
  const first = await serve(t, {}, { certificate });
  assert.deepEqual(await visits(first, { verify }, { verify }), [false, true]);
  await first.close();
  const second = await serve(t, {}, { certificate, port: first.port });
  assert.deepEqual(await visits(second, { verify }, { verify }), [false, true]);
});
