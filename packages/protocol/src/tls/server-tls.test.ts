import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { QuicClient } from "../client/client.ts";
import { QuicServer } from "../server/server.ts";
import { type CertificatePair, generateCertificate } from "./certificates.ts";
import { describeCertificate } from "./describe.ts";
import { type ServerTls, type ServerTlsOptions, serverTls } from "./server-tls.ts";

const bindAddr = "127.0.0.1:0";
const authority = generateCertificate({ names: ["Test authority"], usage: "ca", days: 1 });
const pair = () => generateCertificate({ names: ["localhost"], usage: "server", issuer: authority, days: 90 });

interface Running {
  readonly tls: ServerTls;
  readonly server: QuicServer;
  /** Resolves with the log once it has so many lines. */
  log(lines: number): Promise<string[]>;
}

/** A server that looks for a new certificate every few milliseconds. */
async function start(t: TestContext, options: Omit<ServerTlsOptions, "bindAddr" | "purpose">): Promise<Running> {
  const tls = serverTls({ ...options, bindAddr, purpose: "test" });
  const { certificate, resetKey, clientCaPem } = tls;
  const ca = clientCaPem === undefined ? {} : { clientCaPem };
  const server = await QuicServer.listen({ bindAddr, certificate, resetKey, ...ca });
  const lines: string[] = [];
  let look = (): void => {};
  const add = (details: object, message: string): void => {
    lines.push(`${message} ${JSON.stringify(details)}`);
    look();
  };
  const stopWatching = tls.watch(server, { info: add, warn: add, error: add }, 5);
  t.after(() => {
    stopWatching();
    return server.close();
  });
  const log = (count: number): Promise<string[]> =>
    new Promise((resolve) => {
      look = () => void (lines.length >= count && resolve(lines));
      look();
    });
  return { tls, server, log };
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "runtara-server-tls-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The files of a pair, and a way to replace them. */
function pairFiles(folder: string) {
  const files = { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") };
  const write = ({ certPem, keyPem }: CertificatePair): void => {
    writeFileSync(files.keyFile, keyPem, { mode: 0o600 });
    writeFileSync(files.certFile, certPem);
  };
  return { files, write };
}

async function shows(server: QuicServer, { certPem }: CertificatePair): Promise<void> {
  const serverFingerprint = describeCertificate(certPem).fingerprint;
  await using client = new QuicClient({ serverAddr: server.address, serverFingerprint });
  assert.equal((await client.connect()).isOpen, true);
}

test("a running server shows what its files hold; what is bad is logged and the old one stays", async (t) => {
  const folder = temporaryFolder(t);
  const { files, write } = pairFiles(folder);
  const [first, second, third] = [pair(), pair(), pair()];
  write(first);
  const { server, tls, log } = await start(t, { dataDir: join(folder, "data"), ...files });
  assert.deepEqual([tls.file, tls.clientCaPem, tls.resetKey.length], [files.certFile, undefined, 32]);
  await shows(server, first);
  writeFileSync(files.certFile, second.certPem);
  assert.match((await log(1))[0] ?? "", /cannot be used; the server keeps the one it has .*does not belong to/);
  await shows(server, first);
  write(third);
  assert.match((await log(2))[1] ?? "", new RegExp(`renewed .*${describeCertificate(third.certPem).fingerprint}`));
  await shows(server, third);
  assert.deepEqual(readdirSync(folder).sort(), ["cert.pem", "key.pem"], "nothing is kept for a server with files");
});

test("changed authorities of the clients are logged as what needs a restart", async (t) => {
  const folder = temporaryFolder(t);
  const { files, write } = pairFiles(folder);
  write(pair());
  const clientCaFile = join(folder, "ca.pem");
  writeFileSync(clientCaFile, authority.certPem);
  const { log } = await start(t, { dataDir: folder, ...files, clientCaFile });
  writeFileSync(clientCaFile, pair().certPem);
  assert.match((await log(2))[1] ?? "", /clients' authorities have changed; restart .*ca\.pem/);
});

test("a server without files shows its identity, and a renewed one as soon as it is there", async (t) => {
  const dataDir = temporaryFolder(t);
  const { server, tls, log } = await start(t, { dataDir });
  await shows(server, tls.certificate);
  const renewed = pair();
  writeFileSync(join(dataDir, "tls/server-2.pem"), renewed.certPem + renewed.keyPem, { mode: 0o600 });
  assert.match((await log(1))[0] ?? "", /renewed; give the new one to clients .*server-2\.pem/);
  await shows(server, renewed);
});
