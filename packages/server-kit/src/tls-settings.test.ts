import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, readTlsSettings } from "./index.ts";

test("without variables the server makes its certificate and keeps it in .runtara", () => {
  assert.deepEqual(readTlsSettings({}), { dataDir: ".runtara" });
  assert.deepEqual(readTlsSettings({ RUNTARA_TLS_CERT_FILE: "", DATA_DIR: "" }), { dataDir: ".runtara" });
});

test("every variable", () => {
  const env = {
    DATA_DIR: "/data",
    RUNTARA_TLS_CERT_FILE: "c.pem",
    RUNTARA_TLS_KEY_FILE: "k.pem",
    RUNTARA_TLS_CLIENT_CA_FILE: "ca.pem",
  };
  const expected = { dataDir: "/data", certFile: "c.pem", keyFile: "k.pem", clientCaFile: "ca.pem" };
  assert.deepEqual(readTlsSettings(env), expected);
});

test("half of a pair is refused, and the other half named", () => {
  const [cert, key] = ["RUNTARA_TLS_CERT_FILE", "RUNTARA_TLS_KEY_FILE"] as const;
  for (const [given, missing] of [[cert, key] as const, [key, cert] as const]) {
    assert.throws(
      () => readTlsSettings({ [given]: "x.pem" }),
      (error) =>
        error instanceof ConfigError &&
        error.variable === missing &&
        error.message.startsWith(`${given} is set without`),
    );
  }
});
