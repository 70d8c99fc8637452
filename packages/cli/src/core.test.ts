import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runtara, start, startCore, temporaryFolder } from "./testing.ts";

/** A failed start: one line on stderr that matches, nothing on stdout, exit 1. */
function assertRefused(ended: { code: number | null; stdout: string; stderr: string }, text: RegExp): void {
  assert.equal(ended.stdout, "");
  assert.match(ended.stderr, text);
  assert.equal(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr);
  assert.equal(ended.code, 1);
}

test("prints one ready line with the real port, and SIGTERM ends it with 0", async (t) => {
  const core = await startCore(t);
  assert.match(core.stdout(), /^ready core 127\.0\.0\.1:[1-9]\d*\n$/);
  core.kill("SIGTERM");
  assert.deepEqual(await core.ended, { code: 0, signal: null });
});

test("options win over variables, variables over a .env file", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(
    join(folder, ".env"),
    "RUNTARA_QUIC_PORT=0\nRUNTARA_DATABASE_URL=sqlite:from-file.db\nRUNTARA_BIND_HOST=::1\n",
  );
  const core = start(
    t,
    ["core", "--database-url", "sqlite:from-option.db"],
    { RUNTARA_BIND_HOST: "127.0.0.1" },
    folder,
  );
  await core.until("ready core 127.0.0.1:");
  assert.ok(readdirSync(folder).includes("from-option.db"));
  assert.ok(!readdirSync(folder).includes("from-file.db"));
});

test("a port in use: one line, exit 1, nothing left behind", async (t) => {
  const core = await startCore(t);
  const port = core.address.split(":").at(-1) ?? "";
  const folder = temporaryFolder(t);
  const second = await runtara(t, ["core", "--port", port, "--database-url", `sqlite:${folder}/new/core.db`]);
  assertRefused(second, new RegExp(`127\\.0\\.0\\.1:${port}.*(in use|already)`, "i"));
  assert.deepEqual(readdirSync(folder), []);
});

test("a malformed address: one line, exit 1, nothing left behind", async (t) => {
  const folder = temporaryFolder(t);
  const url = `sqlite:${folder}/core.db`;
  assertRefused(await runtara(t, ["core", "--host", "no host", "--port", "0", "--database-url", url]), /no host/);
  assertRefused(await runtara(t, ["core", "--port", "99999", "--database-url", url]), /RUNTARA_QUIC_PORT.*99999/);
  assertRefused(await runtara(t, ["core", "--port", "abc", "--database-url", url]), /RUNTARA_QUIC_PORT.*abc/);
  assert.deepEqual(readdirSync(folder), []);
});

test("an unwritable path and a file that is no database: one line, exit 1", async (t) => {
  const folder = temporaryFolder(t);
  const letter = join(folder, "letter.txt");
  writeFileSync(letter, "Dear reader, ".repeat(1000));
  const core = (url: string) => runtara(t, ["core", "--port", "0", "--database-url", url]);
  assertRefused(await core(`sqlite:${letter}`), /letter\.txt.*not a database/);
  assertRefused(await core("sqlite:/proc/core.db"), /\/proc\/core\.db/);
  assertRefused(await core("sqlite:/proc/runtara/core.db"), /\/proc\/runtara/);
  assertRefused(await core(`sqlite:${folder}`), /it is a directory/);
  assertRefused(await core("mysql://host/db"), /mysql/);
  assert.deepEqual(readdirSync(folder), ["letter.txt"]);
});

test("RUNTARA_LOG_LEVEL decides what is logged, an unknown word is refused", async (t) => {
  const folder = temporaryFolder(t);
  const args = ["core", "--port", "0", "--database-url", `sqlite:${folder}/core.db`];
  const quiet = start(t, args, { RUNTARA_LOG_LEVEL: "error" });
  await quiet.until("ready core");
  quiet.kill("SIGTERM");
  await quiet.ended;
  assert.equal(quiet.stderr(), "");
  assertRefused(await runtara(t, args, { RUNTARA_LOG_LEVEL: "loud" }), /RUNTARA_LOG_LEVEL.*silent, error, warn.*loud/);
});

test("RUNTARA_LOG_FORMAT: lines for machines or for people", async (t) => {
  const folder = temporaryFolder(t);
  const args = ["core", "--port", "0", "--database-url", `sqlite:${folder}/core.db`];
  const logOf = async (env: Record<string, string>) => {
    const core = start(t, args, env);
    await core.until("ready core ");
    core.kill("SIGTERM");
    assert.deepEqual(await core.ended, { code: 0, signal: null });
    return core.stderr().trim().split("\n");
  };
  for (const line of await logOf({})) assert.equal((JSON.parse(line) as { name: string }).name, "core");
  const pretty = await logOf({ RUNTARA_LOG_FORMAT: "pretty" });
  assert.match(pretty.join("\n"), /^\d\d:\d\d:\d\d\.\d{3} INFO {2}core: core listens address=127\.0\.0\.1:\d+ /m);
  assert.match(pretty.at(-1) ?? "", /core: core has closed/);
  assertRefused(await runtara(t, args, { RUNTARA_LOG_FORMAT: "xml" }), /RUNTARA_LOG_FORMAT.*json, pretty.*xml/);
});

test("--http-port serves probes and metrics; --admin-port 0 is no management", async (t) => {
  const folder = temporaryFolder(t);
  const core = start(t, [
    ...["core", "--port", "0", "--http-port", "0", "--admin-port", "0"],
    ...["--database-url", `sqlite:${folder}/core.db`],
  ]);
  await core.until("ready core ");
  const line =
    core
      .stderr()
      .split("\n")
      .find((text) => text.includes("core listens")) ?? "";
  const { httpAddress, adminAddress } = JSON.parse(line) as { httpAddress: string; adminAddress?: string };
  assert.equal(adminAddress, undefined);
  assert.equal(await (await fetch(`http://${httpAddress}/readyz`)).text(), "ready\n");
  assert.match(await (await fetch(`http://${httpAddress}/metrics`)).text(), /^runtara_ready 1$/m);
  core.kill("SIGTERM");
  assert.deepEqual(await core.ended, { code: 0, signal: null });
});

test("R15: an admin port that is taken: an error if it was asked for", async (t) => {
  const folder = temporaryFolder(t);
  const taken = createSocket("udp4");
  t.after(() => new Promise<void>((resolve) => taken.close(() => resolve())));
  await new Promise<void>((resolve) => taken.bind(0, "127.0.0.1", resolve));
  const port = String(taken.address().port);
  const url = `sqlite:${folder}/core.db`;
  const refused = await runtara(t, ["core", "--port", "0", "--admin-port", port, "--database-url", url]);
  assertRefused(refused, new RegExp(`127\\.0\\.0\\.1:${port}.*(in use|already)`, "i"));
  assert.deepEqual(readdirSync(folder), []);
});

test("help names every command and option of a core", async (t) => {
  const { stdout, code } = await runtara(t, ["--help"]);
  for (const command of ["core", "database", "cert", "run"]) assert.match(stdout, new RegExp(`^ {2}${command} `, "m"));
  assert.equal(code, 0);
  const core = await runtara(t, ["core", "--help"]);
  for (const option of ["--admin-port", "--http-port", "--database-url"])
    assert.ok(core.stdout.includes(option), option);
  assert.match(core.stdout, /docs\/configuration\.md/);
});

test("an unknown option or command is named, with the way to help", async (t) => {
  const option = await runtara(t, ["core", "--prot", "1"]);
  assert.match(option.stderr, /unknown option '--prot'/);
  assert.match(option.stderr, /--help/);
  assert.equal(option.code, 1);
  const command = await runtara(t, ["cor"]);
  assert.match(command.stderr, /unknown command 'cor'/);
  assert.equal(command.code, 1);
});
