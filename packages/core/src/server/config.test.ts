import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "@runtara/server-kit";
import { coreConfigFromEnv } from "./index.ts";

test("defaults", () => {
  assert.deepEqual(coreConfigFromEnv({}), {
    databaseUrl: "sqlite:.runtara/runtara.db",
    bindAddr: "127.0.0.1:8001",
    adminAddr: "127.0.0.1:8003",
    isAdminOptional: true,
    maxConcurrentInstances: 0,
    staleAfterMs: 120_000,
    retention: {},
    tenantChecks: false,
    drainMs: 5_000,
    tls: { dataDir: ".runtara" },
    transport: {},
  });
});

test("every variable", () => {
  const config = coreConfigFromEnv({
    RUNTARA_DATABASE_URL: "sqlite:x.db",
    RUNTARA_QUIC_PORT: "9000",
    RUNTARA_BIND_HOST: "::1",
    RUNTARA_ADMIN_PORT: "9001",
    RUNTARA_HTTP_PORT: "9002",
    RUNTARA_MAX_CONCURRENT_INSTANCES: "64",
    RUNTARA_STALE_AFTER_MS: "0",
    RUNTARA_RETENTION_INSTANCES: "30d",
    RUNTARA_RETENTION_EVENTS: "12h",
    RUNTARA_RETENTION_CHECKPOINTS: "90m",
    RUNTARA_STATE_BYTES_MAX: "1000",
    RUNTARA_TENANT_CHECKS: "true",
    RUNTARA_DRAIN_MS: "0",
    RUNTARA_QUIC_MAX_BI_STREAMS: "5",
    RUNTARA_QUIC_MAX_HANDLERS: "1",
    RUNTARA_QUIC_KEEP_ALIVE_MS: "0",
    RUNTARA_HTTP2: "1",
    RUNTARA_TLS_CERT_FILE: "cert.pem",
    RUNTARA_TLS_KEY_FILE: "key.pem",
    RUNTARA_TLS_CLIENT_CA_FILE: "ca.pem",
    DATA_DIR: "/data",
  });
  assert.deepEqual(config, {
    databaseUrl: "sqlite:x.db",
    bindAddr: "[::1]:9000",
    adminAddr: "[::1]:9001",
    isAdminOptional: false,
    httpAddr: "[::1]:9002",
    maxConcurrentInstances: 64,
    staleAfterMs: 0,
    retention: { instancesMs: 2_592_000_000, eventsMs: 43_200_000, checkpointsMs: 5_400_000 },
    stateBytesMax: 1_000,
    tenantChecks: true,
    drainMs: 0,
    tls: { dataDir: "/data", certFile: "cert.pem", keyFile: "key.pem", clientCaFile: "ca.pem" },
    transport: { maxBiStreams: 5, maxConcurrentHandlers: 1, keepAliveIntervalMs: 0, http2: true },
  });
});

test("0 turns the admin port off", () => {
  const { adminAddr, isAdminOptional } = coreConfigFromEnv({ RUNTARA_ADMIN_PORT: "0" });
  assert.deepEqual([adminAddr, isAdminOptional], [undefined, false]);
});

test("pool and time-out go into a PostgreSQL URL, which wins where it names them; SQLite has neither", () => {
  const sizes = { RUNTARA_DB_POOL_SIZE: "20", RUNTARA_DB_REQUEST_TIMEOUT_MS: "500" };
  const url = (RUNTARA_DATABASE_URL: string, more: object = sizes) =>
    coreConfigFromEnv({ RUNTARA_DATABASE_URL, ...more }).databaseUrl;
  assert.equal(url("postgres://h/d"), "postgres://h/d?pool=20&statement_timeout_ms=500");
  assert.equal(url("postgresql://h/d?pool=7"), "postgresql://h/d?pool=7&statement_timeout_ms=500");
  assert.equal(
    url("postgres://h/d?sslmode=require"),
    "postgres://h/d?sslmode=require&pool=20&statement_timeout_ms=500",
  );
  assert.equal(url("postgres://h/d", {}), "postgres://h/d");
  assert.equal(url("sqlite:x.db"), "sqlite:x.db");
});

test("a value that cannot be read is an error that names variable, form and value", () => {
  const refusals: [variable: string, value: string, text: RegExp][] = [
    ["RUNTARA_QUIC_PORT", "abc", /^invalid value for RUNTARA_QUIC_PORT: must be a valid port number/],
    ["RUNTARA_QUIC_PORT", "99999", /must be a valid port number \(got "99999"\)$/],
    [
      "RUNTARA_MAX_CONCURRENT_INSTANCES",
      "-5",
      /^invalid value for RUNTARA_MAX_CONCURRENT_INSTANCES: must be a whole number from 0 to 4294967295 \(got "-5"\)$/,
    ],
    ["RUNTARA_QUIC_IDLE_TIMEOUT_MS", "soon", /must be a whole number from 0 to 2147483647 \(got "soon"\)$/],
    ["RUNTARA_HTTP2", "yes", /must be true, 1, false or 0/],
    ["RUNTARA_ADMIN_PORT", "65536", /must be a valid port number \(got "65536"\)$/],
    ["RUNTARA_HTTP_PORT", "on", /must be a valid port number \(got "on"\)$/],
    ["RUNTARA_STALE_AFTER_MS", "2m", /must be a whole number from 0 to \d+ \(got "2m"\)$/],
    ["RUNTARA_RETENTION_INSTANCES", "30", /must be a duration such as .* \(got "30"\)$/],
    ["RUNTARA_RETENTION_EVENTS", "-1d", /must be a duration/],
    ["RUNTARA_RETENTION_CHECKPOINTS", "never", /must be a duration/],
    ["RUNTARA_STATE_BYTES_MAX", "0", /must be a whole number from 1 to 67108864 \(got "0"\)$/],
    ["RUNTARA_TENANT_CHECKS", "maybe", /must be true, 1, false or 0/],
    ["RUNTARA_DRAIN_MS", "soon", /must be a whole number from 0 to 2147483647 \(got "soon"\)$/],
    ["RUNTARA_DB_POOL_SIZE", "3", /must be a whole number from 4 to 100 \(got "3"\)$/],
    ["RUNTARA_DB_REQUEST_TIMEOUT_MS", "fast", /must be a whole number from 0 to/],
  ];
  for (const [variable, value, text] of refusals) {
    assert.throws(
      () => coreConfigFromEnv({ [variable]: value }),
      (error) => error instanceof ConfigError && error.variable === variable && text.test(error.message),
    );
  }
  assert.throws(() => coreConfigFromEnv({ RUNTARA_TLS_CERT_FILE: "c.pem" }), /RUNTARA_TLS_KEY_FILE/);
});
