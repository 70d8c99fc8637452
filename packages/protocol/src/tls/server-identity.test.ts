import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { limits } from "../limits.ts";
import { generateCertificate } from "./certificates.ts";
import { describeCertificate } from "./describe.ts";
import { resetKeyOf } from "./reset-key.ts";
import { identityNames, readServerIdentity, serverIdentity } from "./server-identity.ts";

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "runtara-identity-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** An identity whose certificate ends in so many days. */
function keepOne(dir: string, days: number): string {
  const { certPem, keyPem } = generateCertificate({ names: ["localhost"], usage: "server", days });
  mkdirSync(join(dir, "tls"), { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, "tls/server-1.pem"), certPem + keyPem, { mode: 0o600 });
  return describeCertificate(certPem).fingerprint;
}

const source = JSON.stringify(fileURLToPath(import.meta.resolve("./server-identity.ts")));

/** Processes that ask for the identity at the same moment, as near as can be. */
async function askAtOnce(dir: string, count: number): Promise<Set<string>> {
  const at = Date.now() + 1_500;
  const program = `
    const { serverIdentity } = await import(${source});
    while (Date.now() < ${at});
    const { fingerprint, isNew } = serverIdentity(${JSON.stringify(dir)});
    console.log(fingerprint, isNew);`;
  const args = ["--conditions=runtara-src", "--input-type=module", "-e", program];
  const runs = Array.from({ length: count }, () => promisify(execFile)(process.execPath, args));
  const lines = (await Promise.all(runs)).map(({ stdout }) => stdout.trim());
  assert.equal(lines.filter((line) => line.endsWith("true")).length, 1, "exactly one has made it");
  return new Set(lines.map((line) => line.split(" ")[0] ?? ""));
}

test("it is made once, for its owner alone, and is the same ever after", (t) => {
  const dir = join(temporaryFolder(t), "data");
  assert.equal(readServerIdentity(dir), undefined);
  const first = serverIdentity(dir, { bindAddr: "core.example:8001" });
  assert.equal(first.isNew, true);
  assert.equal(first.file, join(dir, "tls/server-1.pem"));
  assert.deepEqual([statSync(first.file).mode & 0o777, statSync(join(dir, "tls")).mode & 0o777], [0o600, 0o700]);
  assert.deepEqual(readdirSync(join(dir, "tls")), ["server-1.pem"]);
  const summary = describeCertificate(first.certificate.certPem);
  assert.deepEqual(summary.names, ["localhost", "127.0.0.1", "::1", hostname(), "core.example"]);
  assert.deepEqual([summary.isSelfSigned, summary.usage, summary.fingerprint], [true, "server", first.fingerprint]);
  assert.ok(first.notAfter.getTime() > Date.now() + 3_649 * limits.dayMs);
  const again = serverIdentity(dir, { bindAddr: "core.example:8001" });
  assert.deepEqual(again, { ...first, isNew: false });
  assert.deepEqual(readServerIdentity(dir, { bindAddr: "core.example:8001" }), again);
});

test("the reset key is the same after a restart and another one for every purpose and certificate", (t) => {
  const folder = temporaryFolder(t);
  const { resetKey, certificate } = serverIdentity(folder, { bindAddr: "127.0.0.1:0", purpose: "core" });
  assert.equal(resetKey.length, limits.resetKeyBytes);
  assert.deepEqual(serverIdentity(folder, { bindAddr: "127.0.0.1:8001", purpose: "core" }).resetKey, resetKey);
  assert.notDeepEqual(serverIdentity(folder, { purpose: "environment" }).resetKey, resetKey);
  assert.deepEqual(resetKeyOf(certificate.keyPem, "core"), resetKey);
  assert.notDeepEqual(serverIdentity(join(folder, "other"), { purpose: "core" }).resetKey, resetKey);
});

test("processes that start at once agree on one", async (t) => {
  const dir = join(temporaryFolder(t), "data");
  const fingerprints = await askAtOnce(dir, 4);
  assert.deepEqual([...fingerprints], [serverIdentity(dir).fingerprint]);
  assert.deepEqual(readdirSync(join(dir, "tls")), ["server-1.pem"], "something was left behind");
});

test("it is renewed in its last 30 days, by one of all that notice", async (t) => {
  const dir = temporaryFolder(t);
  const early = keepOne(dir, limits.identityRenewDaysLeft + 1);
  assert.deepEqual([serverIdentity(dir).fingerprint, serverIdentity(dir).isNew], [early, false]);
  const old = keepOne(dir, limits.identityRenewDaysLeft - 1);
  assert.equal(readServerIdentity(dir)?.fingerprint, old, "reading renews nothing");
  const fingerprints = await askAtOnce(dir, 3);
  const renewed = serverIdentity(dir);
  assert.deepEqual([...fingerprints], [renewed.fingerprint]);
  assert.notEqual(renewed.fingerprint, old);
  assert.deepEqual([renewed.isNew, renewed.file], [false, join(dir, "tls/server-2.pem")]);
});

test("a damaged file is named with the remedy and stays as it is", (t) => {
  const dir = temporaryFolder(t);
  const { file, certificate } = serverIdentity(dir);
  const stranger = generateCertificate({ names: ["localhost"], usage: "server", days: 1 });
  const damages: [text: string, reason: RegExp][] = [
    ["", /no whole CERTIFICATE block/],
    [certificate.certPem, /no whole PRIVATE KEY block/],
    [(certificate.certPem + certificate.keyPem).slice(0, -40), /no whole PRIVATE KEY block/],
    [certificate.certPem.replace(/M/g, "N") + certificate.keyPem, /holds no certificate/],
    [certificate.certPem + stranger.keyPem, /does not belong to/],
  ];
  for (const [text, reason] of damages) {
    writeFileSync(file, text);
    for (const ask of [serverIdentity, readServerIdentity]) {
      assert.throws(
        () => ask(dir),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, "CERTIFICATE_INVALID");
          assert.ok(error.message.includes(file) && !error.message.includes("\n"), error.message);
          assert.match(error.message, reason);
          assert.match(error.message, /backup, or delete it/);
          return true;
        },
      );
    }
    assert.equal(readFileSync(file, "utf8"), text);
  }
  assert.deepEqual(readdirSync(join(dir, "tls")), ["server-1.pem"]);
});

test("a folder that cannot be written to is named with the remedy", (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "file");
  writeFileSync(file, "");
  for (const dir of [file, "/proc/runtara"]) {
    assert.throws(
      () => serverIdentity(dir),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "CERTIFICATE_INVALID");
        assert.ok(error.message.includes(`${join(dir, "tls")}: `), error.message);
        return /(ENOTDIR|ENOENT).*DATA_DIR.*RUNTARA_TLS_CERT_FILE/.test(error.message);
      },
    );
  }
});

test("others that may read the key are warned of", (t) => {
  const dir = temporaryFolder(t);
  keepOne(dir, 100);
  assert.deepEqual(serverIdentity(dir).warnings, []);
  const { certPem, keyPem } = serverIdentity(dir).certificate;
  rmSync(join(dir, "tls/server-1.pem"));
  writeFileSync(join(dir, "tls/server-1.pem"), certPem + keyPem, { mode: 0o644 });
  assert.match(serverIdentity(dir).warnings.join(), /server-1\.pem; run: chmod 600/);
});

test("the names are those that clients may use, each once", () => {
  const local = ["localhost", "127.0.0.1", "::1"];
  assert.deepEqual(identityNames("127.0.0.1:8001", "box"), [...local, "box"]);
  assert.deepEqual(identityNames("0.0.0.0:8001", "box"), [...local, "box"]);
  assert.deepEqual(identityNames("[::]:8001", "box"), [...local, "box"]);
  assert.deepEqual(identityNames("[2001:db8::5]:8001", "box"), [...local, "box", "2001:db8::5"]);
  assert.deepEqual(identityNames("core.example:0", "Lärm box"), [...local, "core.example"]);
  assert.deepEqual(identityNames(undefined, ""), local);
});
