// A core, its clients and their certificates, all by the command.
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { generateCertificate } from "@runtara/protocol";
import { runtara, start, startCore, temporaryFolder, workflows } from "./testing.ts";

type Variables = Record<string, string>;

async function cert(t: TestContext, ...args: string[]): Promise<void> {
  const { code, stderr } = await runtara(t, ["cert", ...args]);
  assert.equal(code, 0, stderr);
}

/** Authority, server and client in one folder. */
async function makeAll(t: TestContext, names: readonly string[] = ["localhost"]): Promise<string> {
  const dir = join(temporaryFolder(t), "tls");
  await cert(t, "ca", "--out", dir);
  await cert(t, "server", "--ca", dir, "--out", dir, ...names.flatMap((name) => ["--name", name]));
  await cert(t, "client", "--ca", dir, "--out", dir, "--name", "worker-7");
  return dir;
}

const files = (dir: string) => ["--tls-cert", join(dir, "server.pem"), "--tls-key", join(dir, "server-key.pem")];
const asClient = (dir: string): Variables => ({
  RUNTARA_CERT_FILE: join(dir, "client.pem"),
  RUNTARA_KEY_FILE: join(dir, "client-key.pem"),
});

function greet(t: TestContext, server: string, env: Variables) {
  const args = ["run", workflows, "--workflow", "greet", "--input", '{"name":"Ada"}', "--server", server];
  return runtara(t, [...args, "--progress", "text"], env);
}

async function works(t: TestContext, server: string, env: Variables): Promise<void> {
  const { code, stdout, stderr } = await greet(t, server, env);
  assert.deepEqual([code, stdout], [0, '{"greeting":"Hello, Ada"}\n'], stderr);
}

/** Never runs, and says in one line why and what to do. */
async function fails(t: TestContext, server: string, env: Variables, ...parts: RegExp[]): Promise<void> {
  const { code, stdout, stderr } = await greet(t, server, env);
  assert.deepEqual([code, stdout], [75, ""], stderr);
  for (const part of parts) assert.match(stderr, part);
  assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
}

test("mutual TLS: the authority's clients get in; every other is told why not, and the remedy", async (t) => {
  const dir = await makeAll(t);
  const folder = temporaryFolder(t);
  const core = await startCore(t, folder, [...files(dir), "--client-ca", join(dir, "ca.pem")]);
  const RUNTARA_CA_FILE = join(dir, "ca.pem");
  const good = { RUNTARA_CA_FILE, ...asClient(dir) };
  await works(t, core.address, good);

  await fails(
    t,
    core.address,
    { RUNTARA_CA_FILE },
    /TLS_CLIENT_CERTIFICATE_REQUIRED/,
    /RUNTARA_CERT_FILE.*runtara cert client/,
  );
  const stranger = await makeAll(t);
  const strange = { ...good, ...asClient(stranger) };
  await fails(t, core.address, strange, /TLS_CERTIFICATE_UNKNOWN/, /this side's certificate/, /--client-ca/);
  const distrustful = { ...good, RUNTARA_CA_FILE: join(stranger, "ca.pem") };
  await fails(t, core.address, distrustful, /TLS_CERTIFICATE_UNKNOWN/, /RUNTARA_CA_FILE/, /RUNTARA_SERVER_FINGERPRINT/);
  const misnamed = { ...good, RUNTARA_SERVER_NAME: "core.example" };
  await fails(t, core.address, misnamed, /TLS_NAME_MISMATCH/, /localhost.*core\.example/, /RUNTARA_SERVER_NAME/);
  writeExpiredClient(dir, folder);
  await fails(t, core.address, { ...good, ...asClient(folder) }, /TLS_CERTIFICATE_EXPIRED/, /runtara cert client/);
  await works(t, core.address, good);
});

function writeExpiredClient(dir: string, folder: string): void {
  const read = (name: string) => readFileSync(join(dir, name), "utf8");
  const issuer = { certPem: read("ca.pem"), keyPem: read("ca-key.pem") };
  const notAfter = new Date(Date.now() - 60_000);
  const expired = generateCertificate({ names: ["late"], usage: "client", issuer, days: 0, notAfter });
  writeFileSync(join(folder, "client.pem"), expired.certPem);
  writeFileSync(join(folder, "client-key.pem"), expired.keyPem, { mode: 0o600 });
}

test("out of the box: loopback works, said once; the fingerprint can be pinned; another one is refused", async (t) => {
  const folder = temporaryFolder(t);
  const core = await startCore(t, folder, ["--data-dir", join(folder, "data")]);
  const plain = await greet(t, core.address, {});
  assert.equal(plain.code, 0, plain.stderr);
  assert.equal(plain.stderr.split("is not verified").length - 1, 1, plain.stderr);
  const { stdout } = await runtara(t, ["cert", "show", "--json", "--data-dir", join(folder, "data")]);
  const { fingerprint } = JSON.parse(stdout).certificates[0];
  await works(t, core.address, { RUNTARA_SERVER_FINGERPRINT: fingerprint });
  const other = { RUNTARA_SERVER_FINGERPRINT: "ab".repeat(32) };
  await fails(t, core.address, other, /TLS_CERTIFICATE_UNKNOWN/, new RegExp(fingerprint));
});

test("HTTP/2: the same workflow over TCP, and with auto over what there is", async (t) => {
  const dir = await makeAll(t);
  const core = await startCore(t, temporaryFolder(t), [...files(dir), "--client-ca", join(dir, "ca.pem"), "--http2"]);
  const good = { RUNTARA_CA_FILE: join(dir, "ca.pem"), ...asClient(dir) };
  for (const RUNTARA_TRANSPORT of ["http2", "auto", "quic"])
    await works(t, core.address, { ...good, RUNTARA_TRANSPORT });
  const anonymous = { RUNTARA_CA_FILE: join(dir, "ca.pem"), RUNTARA_TRANSPORT: "http2" };
  await fails(t, core.address, anonymous, /TLS_CLIENT_CERTIFICATE_REQUIRED/);
});

test("settings of a client that cannot be used: one line each that names the variable, exit 78", async (t) => {
  const dir = await makeAll(t);
  const bad: [Variables, RegExp][] = [
    [{ RUNTARA_CERT_FILE: join(dir, "client.pem") }, /RUNTARA_CERT_FILE is set without RUNTARA_KEY_FILE/],
    [{ RUNTARA_KEY_FILE: join(dir, "client-key.pem") }, /RUNTARA_KEY_FILE is set without RUNTARA_CERT_FILE/],
    [{ ...asClient(dir), RUNTARA_KEY_FILE: join(dir, "server-key.pem") }, /server-key\.pem does not belong to/],
    [{ RUNTARA_CERT_FILE: join(dir, "server.pem"), RUNTARA_KEY_FILE: join(dir, "server-key.pem") }, /one for a client/],
    [{ RUNTARA_CA_FILE: join(dir, "nowhere.pem") }, /RUNTARA_CA_FILE can't be used: .*nowhere\.pem cannot be read/],
    [{ RUNTARA_SERVER_FINGERPRINT: "12:34" }, /RUNTARA_SERVER_FINGERPRINT=12:34.*64 hexadecimal digits/],
    [{ RUNTARA_TRANSPORT: "tcp" }, /RUNTARA_TRANSPORT=tcp.*quic, http2, auto/],
    [{ RUNTARA_CA_FILE: join(dir, "ca.pem"), RUNTARA_SKIP_CERT_VERIFICATION: "true" }, /caPem exclude each other/],
  ];
  for (const [env, text] of bad) {
    const { code, stdout, stderr } = await greet(t, "127.0.0.1:9", env);
    assert.deepEqual([code, stdout], [78, ""], stderr);
    assert.match(stderr, text);
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  }
});

test("settings of a core that cannot be used: one line each, exit 1, no database", async (t) => {
  const dir = await makeAll(t);
  const folder = temporaryFolder(t);
  const [cert, key] = [join(dir, "server.pem"), join(dir, "server-key.pem")];
  const bad: [string[], RegExp, Variables?][] = [
    [["--tls-cert", cert], /RUNTARA_TLS_CERT_FILE is set without RUNTARA_TLS_KEY_FILE/],
    [
      ["--tls-cert", cert, "--tls-key", join(dir, "client-key.pem")],
      /client-key\.pem does not belong to .*server\.pem/,
    ],
    [["--tls-cert", `${cert}.old`, "--tls-key", key], /server\.pem\.old cannot be read/],
    [["--tls-cert", cert, "--tls-key", key, "--client-ca", key], /server-key\.pem holds no certificate/],
    [["--data-dir", join(cert, "data")], /server\.pem\/data\/tls.*DATA_DIR/],
    [[], /invalid value for RUNTARA_QUIC_MAX_BI_STREAMS: must be .*many/, { RUNTARA_QUIC_MAX_BI_STREAMS: "many" }],
    [[], /invalid value for RUNTARA_HTTP2: must be .*yes/, { RUNTARA_HTTP2: "yes" }],
  ];
  for (const [args, text, env] of bad) {
    const line = ["core", "--port", "0", "--database-url", `sqlite:${folder}/core.db`, ...args];
    const { code, stdout, stderr } = await runtara(t, line, env);
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.match(stderr, text);
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    assert.ok(!existsSync(join(folder, "core.db")));
  }
});

test("a key that others can read is warned of, in the log alone", async (t) => {
  const dir = await makeAll(t);
  chmodSync(join(dir, "server-key.pem"), 0o644);
  const folder = temporaryFolder(t);
  const core = start(t, ["core", "--port", "0", "--database-url", `sqlite:${folder}/core.db`, ...files(dir)]);
  await core.until("ready core");
  assert.match(core.stderr(), /others may read .*server-key\.pem; run: chmod 600/);
  assert.match(core.stdout(), /^ready core [^\n]*\n$/);
});
