import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { runtara, start, startCore, temporaryFolder } from "./testing.ts";

const mode = (path: string) => statSync(path).mode & 0o777;
const x509 = (path: string) => new X509Certificate(readFileSync(path));

interface Shown {
  readonly source: string;
  readonly via?: string;
  readonly fingerprint?: string;
  readonly keyFile?: string;
  readonly isKeyMatching?: boolean;
  readonly certificates: readonly { fingerprint: string; subject: string; names: string[]; daysLeft: number }[];
}

async function cert(t: TestContext, ...args: string[]): Promise<string> {
  const ended = await runtara(t, ["cert", ...args]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(ended.stderr, "");
  return ended.stdout;
}

async function shown(t: TestContext, ...args: string[]): Promise<Shown> {
  return JSON.parse(await cert(t, "show", "--json", ...args)) as Shown;
}

/** One line on stderr that matches, exit 1, nothing on stdout. */
async function refused(t: TestContext, args: readonly string[], text: RegExp): Promise<void> {
  const ended = await runtara(t, ["cert", ...args]);
  assert.deepEqual([ended.code, ended.stdout], [1, ""]);
  assert.match(ended.stderr, text);
  assert.equal(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr);
}

test("an authority, a server's and a client's certificate, and what is said of them", async (t) => {
  const dir = join(temporaryFolder(t), "tls");
  const text = await cert(t, "ca", "--out", dir, "--name", "Example authority");
  assert.match(text, /^certificate {2}.*ca\.pem\nprivate key {2}.*ca-key\.pem {2}\(keep it secret\)\n/);
  await cert(t, "server", "--ca", dir, "--name", "core.example", "--name", "10.0.0.5", "--out", dir, "--days", "30");
  const client = JSON.parse(await cert(t, "client", "--ca", dir, "--name", "worker-7", "--out", dir, "--json"));
  assert.deepEqual([client.certFile, client.subject], [join(dir, "client.pem"), "CN=worker-7"]);
  const ca = x509(join(dir, "ca.pem"));
  for (const name of ["server", "client"]) assert.ok(x509(join(dir, `${name}.pem`)).verify(ca.publicKey));
  for (const name of ["ca", "server", "client"]) {
    assert.deepEqual([mode(join(dir, `${name}.pem`)), mode(join(dir, `${name}-key.pem`))], [0o644, 0o600]);
  }
  const server = await shown(t, join(dir, "server.pem"));
  assert.deepEqual([server.keyFile, server.isKeyMatching], [join(dir, "server-key.pem"), true]);
  const [first] = server.certificates;
  assert.deepEqual(
    [first?.subject, first?.names, first?.daysLeft],
    ["CN=core.example", ["core.example", "10.0.0.5"], 29],
  );
  const strange = await cert(t, "show", join(dir, "server.pem"), "--key", join(dir, "client-key.pem"));
  for (const line of [
    /^issuer +CN=Example authority$/m,
    /^valid until .*29 days left/m,
    /^private key +DOES NOT MATCH/m,
  ]) {
    assert.match(strange, line);
  }
  assert.equal(await cert(t, "show", "--pem", join(dir, "server.pem")), readFileSync(join(dir, "server.pem"), "utf8"));
});

test("files that exist stay unless --force is given, also if only one of the two does", async (t) => {
  const dir = temporaryFolder(t);
  await cert(t, "ca", "--out", dir);
  const key = readFileSync(join(dir, "ca-key.pem"), "utf8");
  await refused(t, ["ca", "--out", dir], /ca\.pem exists; .*--force/);
  assert.equal(readFileSync(join(dir, "ca-key.pem"), "utf8"), key);
  writeFileSync(join(dir, "client-key.pem"), "mine");
  await refused(t, ["client", "--ca", dir, "--name", "w", "--out", dir], /client-key\.pem exists/);
  assert.ok(!existsSync(join(dir, "client.pem")));
  assert.equal(readFileSync(join(dir, "client-key.pem"), "utf8"), "mine");
  await cert(t, "ca", "--out", dir, "--force");
  assert.notEqual(readFileSync(join(dir, "ca-key.pem"), "utf8"), key);
  assert.equal(mode(join(dir, "ca-key.pem")), 0o600);
});

test("what cannot be used is named: authorities, names, days, targets", async (t) => {
  const dir = temporaryFolder(t);
  await cert(t, "ca", "--out", dir, "--days", "2");
  const out = ["--out", join(dir, "out")];
  await refused(
    t,
    ["server", "--ca", join(dir, "nowhere"), "--name", "x", ...out],
    /nowhere\/ca\.pem \(ENOENT\).*--ca/,
  );
  await refused(t, ["server", "--ca", dir, "--name", "caf\u{e9}", ...out], /--name caf\u00e9 is neither.*xn--/);
  await refused(t, ["client", "--ca", dir, "--name", "caf\u{e9}", ...out], /--name caf\u00e9 .*ASCII/);
  await refused(t, ["client", "--ca", dir, "--name", "x", "--days", "soon", ...out], /--days soon.*whole number/);
  await refused(t, ["client", "--ca", dir, "--name", "x", "--days", "0", ...out], /--days 0/);
  assert.ok(!existsSync(join(dir, "out")), "something was left behind");
  await cert(t, "client", "--ca", dir, "--name", "w", "--out", dir);
  const end = x509(join(dir, "client.pem")).validToDate;
  assert.equal(end.getTime(), x509(join(dir, "ca.pem")).validToDate.getTime(), "never longer than its authority");
  writeFileSync(join(dir, "ca-key.pem"), readFileSync(join(dir, "client-key.pem")));
  await refused(t, ["client", "--ca", dir, "--name", "x", ...out], /ca-key\.pem does not belong to .*ca\.pem/);
  writeFileSync(join(dir, "ca.pem"), readFileSync(join(dir, "client.pem")));
  await refused(t, ["client", "--ca", dir, "--name", "x", ...out], /ca\.pem is not an authority's/);
  await refused(t, ["show", join(dir, "client-key.pem")], /client-key\.pem holds no certificate/);
  await refused(t, ["show", "nothing"], /nothing is no file that exists and no HOST:PORT/);
});

test("without an argument what a core keeps is shown; of a core that runs, what it shows", async (t) => {
  const folder = temporaryFolder(t);
  const data = join(folder, "data");
  await refused(t, ["show", "--data-dir", data], /no certificate is kept in .*data yet.*runtara core/);
  const core = await startCore(t, folder, ["--data-dir", data]);
  const kept = await shown(t, "--data-dir", data);
  const fingerprint = kept.certificates[0]?.fingerprint ?? "none";
  assert.deepEqual([kept.source, kept.isKeyMatching], [join(data, "tls/server-1.pem"), true]);
  assert.equal(core.stderr().split(fingerprint).length - 1, 1, "the log tells the fingerprint once");
  const seen = await shown(t, core.address);
  assert.deepEqual([seen.via, seen.certificates], ["QUIC", kept.certificates]);
  assert.equal(
    await cert(t, "show", "--pem", "--data-dir", data),
    `${readFileSync(kept.source, "utf8").split("-----BEGIN PRIVATE")[0]}`,
  );
});

test("of a core that listens for HTTP/2, too, the certificates themselves are shown", async (t) => {
  const folder = temporaryFolder(t);
  const core = await startCore(t, folder, ["--http2", "--data-dir", join(folder, "data")]);
  const seen = await shown(t, core.address);
  assert.equal(seen.via, "QUIC and TCP");
  assert.deepEqual(seen.certificates, (await shown(t, "--data-dir", join(folder, "data"))).certificates);
});

test("nobody there: one line with both reasons", async (t) => {
  await refused(
    t,
    ["show", "127.0.0.1:1"],
    /no server answers at 127\.0\.0\.1:1 \(QUIC: .*; TCP: .*ECONNREFUSED.*runtara core/,
  );
});

test("help has examples that are commands of today", async (t) => {
  const help = await cert(t, "--help");
  for (const name of ["ca", "server", "client", "show"]) assert.match(help, new RegExp(`runtara cert ${name}`));
  const show = start(t, ["cert", "show", "--help"]);
  await show.ended;
  assert.match(show.stdout(), /Examples:/);
});
