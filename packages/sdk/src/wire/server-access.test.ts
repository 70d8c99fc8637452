import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { generateCertificate } from "@runtara/protocol";
import { accessFromEnv, accessOf } from "./server-access.ts";

const refuse = (message: string, cause?: unknown) => new Error(`refused: ${message}`, { cause });

function write(t: TestContext, files: Record<string, string>): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "runtara-access-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return (name) => join(folder, name);
}

test("every variable; unset and empty ones leave their member out", (t) => {
  const authority = generateCertificate({ names: ["Test authority"], usage: "ca", days: 1 });
  const certificate = generateCertificate({ names: ["worker"], usage: "client", days: 1 });
  const path = write(t, {
    "ca.pem": authority.certPem,
    "cert.pem": certificate.certPem,
    "key.pem": certificate.keyPem,
  });
  const names = ["CA_FILE", "SERVER_FINGERPRINT", "CERT_FILE", "KEY_FILE", "TRANSPORT"].map(
    (name) => `RUNTARA_${name}`,
  );
  assert.deepEqual(accessFromEnv({}, refuse), {});
  assert.deepEqual(accessFromEnv(Object.fromEntries(names.map((name) => [name, ""])), refuse), {});
  const serverFingerprint = `${"AB:".repeat(31)}cd`;
  const env = {
    RUNTARA_CA_FILE: path("ca.pem"),
    RUNTARA_SERVER_FINGERPRINT: serverFingerprint,
    RUNTARA_CERT_FILE: path("cert.pem"),
    RUNTARA_KEY_FILE: path("key.pem"),
    RUNTARA_TRANSPORT: "auto",
  };
  assert.deepEqual(accessFromEnv(env, refuse), {
    caPem: authority.certPem,
    serverFingerprint,
    certificate,
    transport: "auto",
  });
});

test("what cannot be read is refused with variable, value and form", (t) => {
  const path = write(t, { "junk.pem": "junk" });
  const junk = path("junk.pem");
  const bad: [Record<string, string>, RegExp][] = [
    [
      { RUNTARA_CA_FILE: path("none.pem") },
      /^refused: RUNTARA_CA_FILE can't be used: .*none\.pem cannot be read \(ENOENT/,
    ],
    [{ RUNTARA_CA_FILE: junk }, /RUNTARA_CA_FILE can't be used: .*junk\.pem holds no certificate/],
    [{ RUNTARA_SERVER_FINGERPRINT: "abc" }, /RUNTARA_SERVER_FINGERPRINT=abc .*64 hexadecimal digits/],
    [{ RUNTARA_CERT_FILE: junk }, /RUNTARA_CERT_FILE is set without RUNTARA_KEY_FILE/],
    [{ RUNTARA_KEY_FILE: junk }, /RUNTARA_KEY_FILE is set without RUNTARA_CERT_FILE/],
    [
      { RUNTARA_CERT_FILE: junk, RUNTARA_KEY_FILE: junk },
      /RUNTARA_CERT_FILE and RUNTARA_KEY_FILE .*junk\.pem holds no/,
    ],
    [{ RUNTARA_TRANSPORT: "udp" }, /RUNTARA_TRANSPORT=udp .*quic, http2, auto/],
  ];
  for (const [env, message] of bad) assert.throws(() => accessFromEnv(env, refuse), { message });
});

test("the client gets what is set and nothing else", () => {
  const options = { caPem: "CA", transport: "http2", instanceId: "i", certificate: undefined } as const;
  assert.deepEqual(accessOf(options as never), { caPem: "CA", transport: "http2" });
  assert.deepEqual(accessOf({ dangerouslySkipVerification: false }), { dangerouslySkipVerification: false });
});
