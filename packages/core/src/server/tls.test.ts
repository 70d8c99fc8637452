import assert from "node:assert/strict";
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  type CertificatePair,
  type ClientOptions,
  create,
  describeCertificate,
  generateCertificate,
  instance,
  QuicClient,
} from "@runtara/protocol";
import { type Logger, silentLogger } from "@runtara/server-kit";
import { type CoreServer, type StartCoreOptions, startCore } from "./index.ts";

const question = create(instance.GetInstanceStatusRequestSchema, { instanceId: "i" });
const authority = generateCertificate({ names: ["Test authority"], usage: "ca", days: 1 });
const signed = (usage: "server" | "client", issuer = authority) =>
  generateCertificate({ names: ["localhost"], usage, issuer, days: 90 });
const fingerprintOf = ({ certPem }: CertificatePair) => describeCertificate(certPem).fingerprint;

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "runtara-core-tls-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function start(t: TestContext, folder: string, options: Partial<StartCoreOptions>): Promise<CoreServer> {
  const databaseUrl = `sqlite:${join(folder, "core.db")}`;
  const server = await startCore({ databaseUrl, bindAddr: "127.0.0.1:0", ...options });
  t.after(() => server.close());
  return server;
}

async function ask({ address }: CoreServer, options: ClientOptions): Promise<void> {
  await using client = new QuicClient({ serverAddr: address, ...options });
  await client.call(question);
}

/** Whole at any moment, as `runtara cert --force` writes. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

test("without files the certificate is the same at every start, and the log tells its fingerprint once", async (t) => {
  const folder = temporaryFolder(t);
  const told: unknown[] = [];
  const logger: Logger = { ...silentLogger, info: (details) => told.push(details) };
  const tls = { dataDir: join(folder, "data") };
  const first = await start(t, folder, { tls, logger });
  const serverFingerprint = describeCertificate(first.certificatePem).fingerprint;
  assert.equal(JSON.stringify(told).split(serverFingerprint).length - 1, 1);
  await ask(first, { serverFingerprint });
  await ask(first, { caPem: first.certificatePem });
  await first.close();
  const second = await start(t, folder, { tls });
  assert.equal(second.certificatePem, first.certificatePem);
  await ask(second, { serverFingerprint });
});

test("a damaged identity: one line that names it, and nothing else comes to be", async (t) => {
  const folder = temporaryFolder(t);
  const tls = { dataDir: join(folder, "data") };
  await (await start(t, folder, { tls })).close();
  const file = join(folder, "data/tls/server-1.pem");
  writeFileSync(file, "");
  const other = join(folder, "other.db");
  await assert.rejects(start(t, folder, { tls, databaseUrl: `sqlite:${other}` }), (error: Error) => {
    assert.ok(error.message.includes(file) && !error.message.includes("\n"), error.message);
    return true;
  });
  assert.ok(!existsSync(other));
});

test("files that were renewed are shown without a restart; connections that stand stay", async (t) => {
  const folder = temporaryFolder(t);
  const [old, renewed] = [signed("server"), signed("server")];
  const tls = { dataDir: folder, certFile: join(folder, "server.pem"), keyFile: join(folder, "key.pem") };
  replace(tls.certFile, old.certPem);
  replace(tls.keyFile, old.keyPem);
  const noticed = Promise.withResolvers<void>();
  const logger: Logger = { ...silentLogger, info: (_, message) => message.includes("renewed") && noticed.resolve() };
  const server = await start(t, folder, { tls, logger });
  const early = new QuicClient({ serverAddr: server.address, serverFingerprint: fingerprintOf(old) });
  t.after(() => early.close());
  await early.call(question);
  const connection = await early.connect();
  replace(tls.keyFile, renewed.keyPem);
  replace(tls.certFile, renewed.certPem);
  await noticed.promise;
  assert.equal(server.certificatePem, renewed.certPem);
  await ask(server, { serverFingerprint: fingerprintOf(renewed) });
  await ask(server, { caPem: authority.certPem });
  await early.call(question);
  assert.equal(await early.connect(), connection);
  assert.equal(existsSync(join(folder, "tls")), false, "with files of its own nothing is kept");
});

test("with clients' authorities only their clients get in, whichever certificate the server has", async (t) => {
  const folder = temporaryFolder(t);
  const clientCaFile = join(folder, "ca.pem");
  writeFileSync(clientCaFile, authority.certPem);
  const server = await start(t, folder, { tls: { dataDir: join(folder, "data"), clientCaFile } });
  const caPem = server.certificatePem;
  await ask(server, { caPem, certificate: signed("client") });
  const refused = (options: ClientOptions, tlsCode: string) =>
    assert.rejects(ask(server, { caPem, ...options }), { code: "TLS_FAILED", tlsCode });
  await refused({}, "TLS_CLIENT_CERTIFICATE_REQUIRED");
  const stranger = generateCertificate({ names: ["Stranger"], usage: "ca", days: 1 });
  await refused({ certificate: signed("client", stranger) }, "TLS_CERTIFICATE_UNKNOWN");
});
