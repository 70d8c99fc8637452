import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { generateCertificate } from "./certificates.ts";
import { describeCertificate, namesOf } from "./describe.ts";

const authority = generateCertificate({ names: ["Test authority"], usage: "ca", days: 30 });

test("an authority, a server's and a client's certificate say what they are", () => {
  const names = ["core.example", "127.0.0.1", "::1", "2001:db8::5"];
  const server = describeCertificate(
    generateCertificate({ names, usage: "server", issuer: authority, days: 90 }).certPem,
  );
  assert.deepEqual(server.names, names);
  assert.deepEqual(
    [server.subject, server.issuer, server.isSelfSigned, server.usage],
    ["CN=core.example", "CN=Test authority", false, "server"],
  );
  assert.match(server.fingerprint, /^[0-9a-f]{64}$/);
  assert.ok(server.notBefore.getTime() < Date.now() && server.notAfter.getTime() > Date.now() + 89 * 86_400_000);
  const ca = describeCertificate(authority.certPem);
  assert.deepEqual([ca.subject, ca.isSelfSigned, ca.usage, ca.names], ["CN=Test authority", true, "ca", []]);
  const client = generateCertificate({ names: ["worker 7"], usage: "client", issuer: authority, days: 1 });
  assert.equal(describeCertificate(client.certPem).usage, "client");
});

test("a text without a certificate is refused", () => {
  for (const text of ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", authority.keyPem]) {
    assert.throws(() => describeCertificate(text), { name: "ProtocolError", code: "CERTIFICATE_INVALID" });
  }
});

test("names in a certificate cannot forge other names", () => {
  assert.deepEqual(namesOf('DNS:"a, DNS:admin.example", URI:"x, DNS:admin.example", DNS:c'), [
    "a, DNS:admin.example",
    "c",
  ]);
  assert.deepEqual(namesOf("DNS:a, IP Address:0:0:0:0:0:0:0:1, DirName:x"), ["a", "::1"]);
  assert.deepEqual(namesOf(""), []);
});

test("any list of host names is read back", () => {
  const label = fc.stringMatching(/^[a-z]{1,8}$/);
  const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (names) => {
      assert.deepEqual(namesOf(names.map((one) => `DNS:${one}`).join(", ")), names);
    }),
  );
});
