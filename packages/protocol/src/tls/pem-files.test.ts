import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { limits } from "../limits.ts";
import { type CertificateOptions, generateCertificate } from "./certificates.ts";
import { clientCertificate } from "./client-certificate.ts";
import { parsed } from "./describe.ts";
import { checkDates } from "./pair.ts";
import { pemFiles } from "./pem-files.ts";

const authority = generateCertificate({ names: ["Test authority"], usage: "ca", days: 30 });

function folderOf(t: TestContext): (name: string, text: string, mode?: number) => string {
  const folder = mkdtempSync(join(tmpdir(), "runtara-pem-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return (name, text, mode = 0o600) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  };
}

function signed(usage: "server" | "client", more: Partial<CertificateOptions> = {}) {
  return generateCertificate({ names: ["localhost"], usage, issuer: authority, days: 90, ...more });
}

/** Refused with one line that has all these parts. */
function refused(load: () => unknown, ...parts: (string | RegExp)[]): void {
  assert.throws(load, (error: Error & { code?: string }) => {
    assert.deepEqual([error.name, error.code], ["ProtocolError", "CERTIFICATE_INVALID"]);
    assert.ok(!error.message.includes("\n"), error.message);
    for (const part of parts) {
      assert.ok(typeof part === "string" ? error.message.includes(part) : part.test(error.message), error.message);
    }
    return true;
  });
}

test("a pair and the clients' authority are loaded", (t) => {
  const write = folderOf(t);
  const { certPem, keyPem } = signed("server");
  const files = { certFile: write("cert.pem", certPem), keyFile: write("key.pem", keyPem) };
  const loaded = pemFiles(files);
  assert.deepEqual(loaded.certificate, { certPem, keyPem });
  assert.deepEqual([loaded.warnings, loaded.clientCaPem], [[], undefined]);
  const clientCaFile = write("ca.pem", authority.certPem + certPem);
  assert.equal(pemFiles({ ...files, clientCaFile }).clientCaPem, authority.certPem + certPem);
});

test("a file that is missing, too long, or holds something else is named", (t) => {
  const write = folderOf(t);
  const { certPem, keyPem } = signed("server");
  const certFile = write("cert.pem", certPem);
  const keyFile = write("key.pem", keyPem);
  const junk = write("junk.pem", "junk");
  const long = write("long.pem", "x".repeat(limits.pemBytesMax + 1));
  const missing = `${keyFile}.missing`;
  refused(() => pemFiles({ certFile: missing, keyFile }), missing, /certificate .*ENOENT/);
  refused(() => pemFiles({ certFile, keyFile: missing }), missing, /private key .*ENOENT/);
  refused(() => pemFiles({ certFile: long, keyFile }), long, /1048577 bytes, the limit is 1048576/);
  refused(() => pemFiles({ certFile: junk, keyFile }), junk, /holds no certificate/);
  refused(() => pemFiles({ certFile, keyFile: junk }), junk, /holds no private key/);
  refused(() => pemFiles({ certFile: keyFile, keyFile: certFile }), keyFile, /holds no certificate/);
  refused(() => pemFiles({ certFile, keyFile, clientCaFile: junk }), junk, /holds no certificate.*authority/);
  const torn = write("torn.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  refused(() => pemFiles({ certFile, keyFile, clientCaFile: torn }), torn, /cannot be read/);
});

test("a key of another certificate, an encrypted key, a client's certificate", (t) => {
  const write = folderOf(t);
  const server = signed("server");
  const client = signed("client");
  const certFile = write("cert.pem", server.certPem);
  const keyFile = write("key.pem", server.keyPem);
  const clientFiles = {
    certFile: write("client.pem", client.certPem),
    keyFile: write("client-key.pem", client.keyPem),
  };
  refused(
    () => pemFiles({ certFile, keyFile: clientFiles.keyFile }),
    clientFiles.keyFile,
    certFile,
    /does not belong to/,
  );
  const encoding = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" } as const;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const locked = write("locked.pem", privateKey.export(encoding).toString());
  refused(() => pemFiles({ certFile, keyFile: locked }), locked, /encrypted.*openssl pkey/);
  refused(() => pemFiles(clientFiles), clientFiles.certFile, /a client's; give one for a server/);
  refused(() => clientCertificate({ certFile, keyFile }), certFile, /a server's; give one for a client/);
  assert.deepEqual(clientCertificate(clientFiles), client);
});

test("dates: an expired server's certificate, one that is not valid yet, one that ends soon", (t) => {
  const write = folderOf(t);
  const expired = signed("server", { notAfter: new Date(Date.now() - 60_000) });
  const files = { certFile: write("old.pem", expired.certPem), keyFile: write("old-key.pem", expired.keyPem) };
  refused(() => pemFiles(files), files.certFile, /expired on \d{4}-.*renew it/);
  refused(() => checkDates(parsed(signed("server").certPem, ""), "early.pem", 0), /early\.pem is valid from .* on/);
  const soon = signed("server", { days: 3.5 });
  const soonFiles = { certFile: write("soon.pem", soon.certPem), keyFile: write("soon-key.pem", soon.keyPem, 0o644) };
  const { warnings } = pemFiles(soonFiles);
  assert.match(warnings[0] ?? "", /soon\.pem expires in 3 days/);
  assert.match(warnings[1] ?? "", /others may read .*soon-key\.pem.*chmod 600/);
  const client = signed("client", { notAfter: new Date(Date.now() - 60_000) });
  const clientFiles = { certFile: write("c.pem", client.certPem), keyFile: write("c-key.pem", client.keyPem) };
  assert.deepEqual(clientCertificate(clientFiles), client, "its dates are for the server to judge");
});
