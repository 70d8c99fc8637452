import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { dnsNames, peerCertificate } from "./certificate.ts";
import {
  type CertificateOptions,
  type CertificatePair,
  type ConnectOptions,
  certificateFingerprint,
  connect,
  generateCertificate,
  type QuicListener,
  type Verify,
} from "./index.ts";
import { dial, failure, later, serve } from "./peers.test.helper.ts";

const none = new Uint8Array(0);
const authority = generateCertificate({ names: ["Test authority"], usage: "ca", days: 1 });
const otherAuthority = generateCertificate({ names: ["Other authority"], usage: "ca", days: 1 });
const caPem = authority.certPem;

function signed(usage: "server" | "client", more: Partial<CertificateOptions> = {}): CertificatePair {
  return generateCertificate({ names: ["localhost", "127.0.0.1"], usage, issuer: authority, days: 1, ...more });
}

/** What keeps a client out of this listener must name its remedy. */
async function refusal(
  listener: QuicListener,
  code: Parameters<typeof failure>[1],
  remedy: RegExp,
  options: Partial<ConnectOptions>,
): Promise<void> {
  const { host, port } = listener;
  const base = { host, port, serverName: "localhost", verify: { caPem }, connectTimeoutMs: 10_000 } as const;
  assert.match((await failure(connect({ ...base, ...options }), code)).message, remedy);
}

async function reaches(t: TestContext, listener: QuicListener, options: Partial<ConnectOptions>): Promise<void> {
  const client = await dial(t, listener, options);
  assert.equal((await client.call(1, none)).type, 2);
}

test("an authority, a server's and a client's certificate are what they are asked to be", () => {
  const ca = new X509Certificate(authority.certPem);
  const server = new X509Certificate(signed("server", { days: 30 }).certPem);
  const client = new X509Certificate(signed("client", { names: ["worker 7.example"] }).certPem);
  assert.deepEqual([ca.ca, server.ca, client.ca], [true, false, false]);
  assert.ok(ca.verify(ca.publicKey) && server.verify(ca.publicKey) && client.verify(ca.publicKey));
  assert.ok(server.checkIssued(ca));
  assert.equal(server.subjectAltName, "DNS:localhost, IP Address:127.0.0.1");
  assert.deepEqual([server.keyUsage, client.keyUsage], [["1.3.6.1.5.5.7.3.1"], ["1.3.6.1.5.5.7.3.2"]]);
  const days = (server.validToDate.getTime() - Date.now()) / 86_400_000;
  assert.ok(days > 29.9 && days < 30.1, `${days}`);
  const notAfter = new Date("2040-05-06T07:08:09Z");
  const certificate = new X509Certificate(signed("server", { notAfter }).certPem);
  assert.equal(certificate.validToDate.getTime(), notAfter.getTime());
});

test("certificates that cannot be made", () => {
  const bad: Partial<CertificateOptions>[] = [
    { names: [] },
    { names: ["caf\u{e9}"] },
    { days: Number.NaN },
    { days: 1e9 },
    { notAfter: new Date(Number.NaN) },
    { issuer: { certPem: "", keyPem: authority.keyPem } },
    { issuer: { certPem: caPem, keyPem: "no key" } },
  ];
  for (const options of bad) assert.throws(() => signed("server", options), { code: "CERTIFICATE_INVALID" });
  assert.throws(() => certificateFingerprint("no certificate"), { code: "CERTIFICATE_INVALID" });
});

test("a server's certificate is good for who trusts its authority, and for nobody else", async (t) => {
  const listener = await serve(t, {}, { certificate: signed("server") });
  await reaches(t, listener, { verify: { caPem } });
  await reaches(t, listener, { verify: { caPem: otherAuthority.certPem + caPem } });
  await refusal(listener, "TLS_NAME_MISMATCH", /"localhost".*not for "example\.org".*serverName/, {
    serverName: "example.org",
  });
  const stranger = { caPem: otherAuthority.certPem };
  const fingerprint = certificateFingerprint(listener.certificatePem);
  await refusal(listener, "TLS_CERTIFICATE_UNKNOWN", new RegExp(`${fingerprint}.*pin`), { verify: stranger });
  const sameName = generateCertificate({ names: ["Test authority"], usage: "ca", days: 1 });
  await refusal(listener, "TLS_CERTIFICATE_UNKNOWN", /authority/, { verify: { caPem: sameName.certPem } });
});

test("an expired server's certificate and one for clients", async (t) => {
  const expired = signed("server", { notAfter: new Date(Date.now() - 60_000) });
  const listener = await serve(t, {}, { certificate: expired });
  await refusal(listener, "TLS_CERTIFICATE_EXPIRED", /renew/, {});
  await reaches(t, listener, { verify: { fingerprint: certificateFingerprint(expired.certPem) } });
  const misused = await serve(t, {}, { certificate: signed("client") });
  await refusal(misused, "TLS_FAILED", /./, {});
});

test("a pinned fingerprint lets in that certificate only, whatever its name", async (t) => {
  const listener = await serve(t, {}, { certificate: signed("server", { names: ["elsewhere.example"] }) });
  const { fingerprint256 } = new X509Certificate(listener.certificatePem);
  for (const fingerprint of [fingerprint256, certificateFingerprint(listener.certificatePem)]) {
    await reaches(t, listener, { verify: { fingerprint } });
  }
  const other = certificateFingerprint(caPem);
  await refusal(listener, "TLS_CERTIFICATE_UNKNOWN", new RegExp(`pinned is ${other}`), {
    verify: { fingerprint: other },
  });
  const bad: Verify[] = [{ fingerprint: "" }, { fingerprint: "12:34" }, { caPem: "skip" }, { caPem: "" }];
  for (const verify of bad) await refusal(listener, "CERTIFICATE_INVALID", /fingerprint|caPem/, { verify });
});

test("system roots are those that SSL_CERT_FILE names", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "quic-roots-"));
  const before = { file: process.env.SSL_CERT_FILE, dir: process.env.SSL_CERT_DIR };
  t.after(() => {
    rmSync(folder, { recursive: true });
    set("SSL_CERT_FILE", before.file);
    set("SSL_CERT_DIR", before.dir);
  });
  const listener = await serve(t, {}, { certificate: signed("server") });
  const file = join(folder, "roots.pem");
  writeFileSync(file, otherAuthority.certPem);
  set("SSL_CERT_DIR", undefined);
  set("SSL_CERT_FILE", file);
  await refusal(listener, "TLS_CERTIFICATE_UNKNOWN", /authority/, { verify: "system" });
  writeFileSync(file, otherAuthority.certPem + caPem);
  await reaches(t, listener, { verify: "system" });
  writeFileSync(file, "");
  await refusal(listener, "CERTIFICATE_INVALID", /SSL_CERT_FILE/, { verify: "system" });
});

function set(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

test("mutual TLS gives the client's identity to the server", async (t) => {
  const seen = later<unknown>();
  const onConnection = (connection: { peerCertificate: unknown }): void => seen.resolve(connection.peerCertificate);
  const listener = await serve(t, { onConnection }, { certificate: signed("server"), clientCaPem: caPem });
  const certificate = signed("client", { names: ["worker-7.example", "10.0.0.7", "w7.example"] });
  await reaches(t, listener, { verify: { caPem }, certificate });
  assert.deepEqual(await seen.promise, {
    fingerprint: certificateFingerprint(certificate.certPem),
    subject: "CN=worker-7.example",
    dnsNames: ["worker-7.example", "w7.example"],
    certPem: certificate.certPem,
  });
});

test("mutual TLS keeps out clients without a good certificate, and connect says why", async (t) => {
  const connected: unknown[] = [];
  const onConnection = (connection: unknown): void => void connected.push(connection);
  const listener = await serve(t, { onConnection }, { certificate: signed("server"), clientCaPem: caPem });
  await refusal(listener, "TLS_CLIENT_CERTIFICATE_REQUIRED", /connect with a certificate/, {});
  await refusal(listener, "TLS_CLIENT_CERTIFICATE_REQUIRED", /connect with a certificate/, { verify: "skip" });
  const strange = signed("client", { issuer: otherAuthority });
  await refusal(listener, "TLS_CERTIFICATE_UNKNOWN", /authority/, { certificate: strange });
  const expired = signed("client", { notAfter: new Date(Date.now() - 60_000) });
  await refusal(listener, "TLS_CERTIFICATE_EXPIRED", /renew/, { certificate: expired });
  await refusal(listener, "TLS_FAILED", /./, { certificate: signed("server") });
  const mixed = { certPem: expired.certPem, keyPem: strange.keyPem };
  await refusal(listener, "CERTIFICATE_INVALID", /certificate/, { certificate: mixed });
  await refusal(listener, "CERTIFICATE_INVALID", /certificate/, { certificate: { certPem: "", keyPem: "" } });
  assert.deepEqual(connected, []);
});

test("a client's certificate of empty texts is an error, also where the server asks for none", async (t) => {
  const listener = await serve(t);
  await reaches(t, listener, {});
  await refusal(listener, "CERTIFICATE_INVALID", /certificate/, { certificate: { certPem: "", keyPem: "" } });
});

test("a client sees the server's certificate, verified or not, resumed or not", async (t) => {
  const certificate = signed("server", { names: ["localhost", "core.example"] });
  const listener = await serve(t, {}, { certificate });
  for (const verify of ["skip", { caPem }, { caPem }] as const) {
    const connection = await dial(t, listener, { verify });
    assert.deepEqual(connection.peerCertificate, {
      fingerprint: certificateFingerprint(certificate.certPem),
      subject: "CN=localhost",
      dnsNames: ["localhost", "core.example"],
      certPem: certificate.certPem,
    });
    assert.equal((await connection.call(1, Buffer.from("x"))).payload.length, 1);
  }
});

test("a server that asks for no certificate sees none", async (t) => {
  const seen = later<unknown>();
  const listener = await serve(t, { onConnection: (connection) => seen.resolve(connection.peerCertificate) });
  await reaches(t, listener, { certificate: signed("client") });
  assert.equal(await seen.promise, undefined);
});

test("a client's authority that is no certificate", async (t) => {
  await failure(serve(t, {}, { clientCaPem: "no PEM" }), "CERTIFICATE_INVALID");
});

test("names in a certificate cannot forge other names", () => {
  assert.deepEqual(dnsNames("DNS:a.example, IP Address:10.0.0.1, DNS:b.example"), ["a.example", "b.example"]);
  assert.deepEqual(dnsNames('DNS:"a, DNS:admin.example", URI:"x, DNS:admin.example", DNS:c'), [
    "a, DNS:admin.example",
    "c",
  ]);
  assert.deepEqual(dnsNames(""), []);
  const unreadable = peerCertificate(Uint8Array.of(1, 2, 3));
  assert.deepEqual([unreadable.subject, unreadable.dnsNames, unreadable.fingerprint.length], ["", [], 64]);
});

test("a changed certificate is what the next handshake shows; connections that stand stay", async (t) => {
  const [old, renewed] = [signed("server"), signed("server")];
  const [oldPin, renewedPin] = [old, renewed].map(({ certPem }) => ({ fingerprint: certificateFingerprint(certPem) }));
  assert.ok(oldPin !== undefined && renewedPin !== undefined);
  const listener = await serve(t, {}, { certificate: old });
  const early = await dial(t, listener, { verify: oldPin });
  assert.throws(() => listener.setCertificate({ certPem: renewed.certPem, keyPem: old.keyPem }), {
    code: "CERTIFICATE_INVALID",
  });
  await reaches(t, listener, { verify: oldPin });
  assert.equal(listener.certificatePem, old.certPem);
  listener.setCertificate(renewed);
  assert.equal(listener.certificatePem, renewed.certPem);
  await reaches(t, listener, { verify: renewedPin });
  await refusal(listener, "TLS_CERTIFICATE_UNKNOWN", /pinned/, { verify: oldPin });
  assert.equal((await early.call(1, none)).type, 2);
  await listener.close();
  assert.throws(() => listener.setCertificate(old), { code: "ENDPOINT_CLOSED" });
});
