import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "@runtara/server-kit";
import { coreConfigFromEnv } from "./index.ts";

test("defaults", () => {
  assert.deepEqual(coreConfigFromEnv({}), {
    databaseUrl: "sqlite:.runtara/runtara.db",
    bindAddr: "127.0.0.1:8001",
    maxConcurrentInstances: 0,
    tls: { dataDir: ".runtara" },
    transport: {},
  });
});

test("every variable", () => {
  const config = coreConfigFromEnv({
    RUNTARA_DATABASE_URL: "sqlite:x.db",
    RUNTARA_QUIC_PORT: "9000",
    RUNTARA_BIND_HOST: "::1",
    RUNTARA_MAX_CONCURRENT_INSTANCES: "64",
    RUNTARA_QUIC_MAX_BI_STREAMS: "5",
    RUNTARA_QUIC_MAX_HANDLERS: "1",
    RUNTARA_QUIC_KEEP_ALIVE_MS: "0",
    RUNTARA_HTTP2: "1",
    RUNTARA_TLS_CERT_FILE: "cert.pem",
    RUNTARA_TLS_KEY_FILE: "key.pem",
    RUNTARA_TLS_CLIENT_CA_FILE: "ca.pem",
    DATA_DIR: "/data",
  });
  assert.deepEqual(
    [config.databaseUrl, config.bindAddr, config.maxConcurrentInstances],
    ["sqlite:x.db", "[::1]:9000", 64],
  );
  assert.deepEqual(config.transport, {
    maxBiStreams: 5,
    maxConcurrentHandlers: 1,
    keepAliveIntervalMs: 0,
    http2: true,
  });
  assert.deepEqual(config.tls, {
    dataDir: "/data",
    certFile: "cert.pem",
    keyFile: "key.pem",
    clientCaFile: "ca.pem",
  });
});

test("a value that cannot be read is an error that names variable, form and value", () => {
  const refusals: [variable: string, value: string, text: RegExp][] = [
    ["RUNTARA_QUIC_PORT", "abc", /^invalid value for RUNTARA_QUIC_PORT: must be a valid port number/],
    ["RUNTARA_QUIC_PORT", "99999", /must be a valid port number \(got "99999"\)$/],
    [
      "RUNTARA_MAX_CONCURRENT_INSTANCES",
      "-5",
      /^invalid value for RUNTARA_MAX_CONCURRENT_INSTANCES: must be a positive integer/,
    ],
    ["RUNTARA_QUIC_IDLE_TIMEOUT_MS", "soon", /must be a whole number from 0 to 2147483647 \(got "soon"\)$/],
    ["RUNTARA_HTTP2", "yes", /must be true, 1, false or 0/],
  ];
  for (const [variable, value, text] of refusals) {
    assert.throws(
      () => coreConfigFromEnv({ [variable]: value }),
      (error) => error instanceof ConfigError && error.variable === variable && text.test(error.message),
    );
  }
  assert.throws(() => coreConfigFromEnv({ RUNTARA_TLS_CERT_FILE: "c.pem" }), /RUNTARA_TLS_KEY_FILE/);
});
