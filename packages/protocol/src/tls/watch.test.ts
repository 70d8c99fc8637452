import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { limits } from "../limits.ts";
import { type CertificatePair, generateCertificate } from "./certificates.ts";
import { describeCertificate } from "./describe.ts";
import { pemFiles } from "./pem-files.ts";
import { serverIdentity } from "./server-identity.ts";
import { watchPemFiles, watchServerIdentity } from "./watch.ts";

const intervalMs = 5;
const pair = (days = 90) => generateCertificate({ names: ["localhost"], usage: "server", days });
const fingerprintOf = ({ certPem }: CertificatePair) => describeCertificate(certPem).fingerprint;

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "runtara-watch-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** What a watch tells, one after the other. Nothing else keeps the process alive, so waiting does. */
class Told {
  readonly all: string[] = [];
  #look = () => {};

  add = (text: string): void => {
    this.all.push(text);
    this.#look();
  };

  async until(count: number): Promise<string[]> {
    const alive = setInterval(() => {}, 1_000);
    await new Promise<void>((resolve) => {
      this.#look = () => void (this.all.length >= count && resolve());
      this.#look();
    });
    clearInterval(alive);
    return this.all;
  }
}

/** A version of a pair as Kubernetes mounts it: `tls.crt` → `..data/tls.crt`, `..data` → a folder of its own. */
function mount(folder: string, version: string, { certPem, keyPem }: CertificatePair): void {
  mkdirSync(join(folder, version));
  writeFileSync(join(folder, version, "tls.crt"), certPem);
  writeFileSync(join(folder, version, "tls.key"), keyPem, { mode: 0o600 });
  symlinkSync(version, join(folder, "..data.new"));
  renameSync(join(folder, "..data.new"), join(folder, "..data"));
}

test("a swapped link is noticed, a bad pair is told once and the next good one counts", async (t) => {
  const folder = temporaryFolder(t);
  const [first, second, third] = [pair(), pair(), pair()];
  mount(folder, "1", first);
  for (const name of ["tls.crt", "tls.key"]) symlinkSync(join("..data", name), join(folder, name));
  const files = { certFile: join(folder, "tls.crt"), keyFile: join(folder, "tls.key") };
  const told = new Told();
  const onError = (error: unknown): void => told.add(String(error));
  const options = { onChange: (loaded: { fingerprint: string }) => told.add(loaded.fingerprint), onError, intervalMs };
  t.after(watchPemFiles(files, options, pemFiles(files)));

  mount(folder, "2", second);
  assert.deepEqual(await told.until(1), [fingerprintOf(second)]);
  mount(folder, "3", { certPem: third.certPem, keyPem: second.keyPem });
  assert.match((await told.until(2))[1] ?? "", /CERTIFICATE_INVALID|does not belong to/);
  rmSync(join(folder, "3"), { recursive: true });
  assert.match((await told.until(3))[2] ?? "", /ENOENT/);
  mount(folder, "4", third);
  assert.deepEqual((await told.until(4)).slice(3), [fingerprintOf(third)]);
  assert.equal(told.all.length, 4, "each state is told once");
});

test("what cannot be put to use counts as bad", async (t) => {
  const folder = temporaryFolder(t);
  const { certPem, keyPem } = pair();
  const files = { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") };
  writeFileSync(files.certFile, certPem);
  writeFileSync(files.keyFile, keyPem);
  const told = new Told();
  const onChange = () => {
    throw new Error("no use");
  };
  t.after(watchPemFiles(files, { onChange, onError: (error) => told.add(String(error)), intervalMs }));
  assert.deepEqual(await told.until(1), ["Error: no use"]);
});

test("a running server's identity is renewed, and one that another process has renewed is taken over", async (t) => {
  const dir = temporaryFolder(t);
  mkdirSync(join(dir, "tls"), { mode: 0o700 });
  const keep = (number: number, { certPem, keyPem }: CertificatePair) =>
    writeFileSync(join(dir, `tls/server-${number}.pem`), certPem + keyPem, { mode: 0o600 });
  const renewAt = new Date(Date.now() + limits.identityRenewDaysLeft * limits.dayMs + 3_500);
  keep(1, generateCertificate({ names: ["localhost"], usage: "server", days: 0, notAfter: renewAt }));
  const told = new Told();
  const onChange = ({ fingerprint }: { fingerprint: string }) => told.add(fingerprint);
  const options = { bindAddr: "", onChange, onError: (error: unknown) => told.add(String(error)), intervalMs };
  const current = serverIdentity(dir);
  assert.equal(current.isNew, false);
  t.after(watchServerIdentity(dir, options, current));
  await told.until(1);
  assert.deepEqual(told.all, [serverIdentity(dir).fingerprint]);
  assert.notEqual(told.all[0], current.fingerprint);
  const elsewhere = pair();
  keep(3, elsewhere);
  assert.deepEqual((await told.until(2)).slice(1), [fingerprintOf(elsewhere)]);
  rmSync(join(dir, "tls"), { recursive: true });
  assert.match((await told.until(3))[2] ?? "", /identity in .* has gone/);
  assert.equal(existsSync(join(dir, "tls")), false, "a running server makes no new one");
  const back = pair();
  mkdirSync(join(dir, "tls"), { mode: 0o700 });
  keep(4, back);
  const last = (await told.until(4)).slice(3);
  assert.deepEqual(last, [fingerprintOf(back)], "that it has gone is told once");
});
