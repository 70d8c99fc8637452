import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "@runtara/server-kit";
import { coreConfigFromEnv } from "./index.ts";

test("defaults", () => {
  assert.deepEqual(coreConfigFromEnv({}), {
    databaseUrl: "sqlite:.runtara/runtara.db",
    bindAddr: "127.0.0.1:8001",
    maxConcurrentInstances: 0,
    transport: {
      maxIncoming: 10_000,
      maxBiStreams: 1_000,
      maxUniStreams: 100,
      idleTimeoutMs: 120_000,
      keepAliveIntervalMs: 15_000,
      udpReceiveBufferBytes: 2_097_152,
      udpSendBufferBytes: 2_097_152,
      maxConcurrentHandlers: 0,
    },
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
  });
  assert.deepEqual(
    [config.databaseUrl, config.bindAddr, config.maxConcurrentInstances],
    ["sqlite:x.db", "[::1]:9000", 64],
  );
  const { maxBiStreams, maxConcurrentHandlers, keepAliveIntervalMs } = config.transport;
  assert.deepEqual([maxBiStreams, maxConcurrentHandlers, keepAliveIntervalMs], [5, 1, 0]);
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
    ["RUNTARA_QUIC_IDLE_TIMEOUT_MS", "soon", /must be a positive integer/],
  ];
  for (const [variable, value, text] of refusals) {
    assert.throws(
      () => coreConfigFromEnv({ [variable]: value }),
      (error) => error instanceof ConfigError && error.variable === variable && text.test(error.message),
    );
  }
});
