import assert from "node:assert/strict";
import { test } from "node:test";
import { limits, serverDefaults } from "../limits.ts";
import { listenTransport, serverNumbers, serverOptionsFromEnv } from "./options.ts";

const all = {
  RUNTARA_QUIC_MAX_INCOMING: "1",
  RUNTARA_QUIC_MAX_BI_STREAMS: "2",
  RUNTARA_QUIC_MAX_UNI_STREAMS: "3",
  RUNTARA_QUIC_IDLE_TIMEOUT_MS: "4",
  RUNTARA_QUIC_KEEP_ALIVE_MS: "0",
  RUNTARA_QUIC_UDP_RECV_BUFFER: "6",
  RUNTARA_QUIC_UDP_SEND_BUFFER: "7",
  RUNTARA_QUIC_MAX_HANDLERS: "8",
  RUNTARA_QUIC_FRAME_READ_TIMEOUT_MS: "9",
  RUNTARA_QUIC_MAX_OPEN_CALLS: "10",
  RUNTARA_QUIC_MAX_BYTES_IN_FLIGHT: "8589934592",
  RUNTARA_QUIC_MAX_CONNECTION_BYTES_IN_FLIGHT: "12",
  RUNTARA_QUIC_MAX_FRAME_BYTES: "4096",
  RUNTARA_QUIC_REQUEST_TIMEOUT_MS: "14",
  RUNTARA_QUIC_PROGRESS_TIMEOUT_MS: "+15",
  RUNTARA_HTTP2: "1",
};

test("every variable sets its option; empty ones and others set nothing", () => {
  assert.deepEqual(serverOptionsFromEnv(all), {
    maxIncoming: 1,
    maxBiStreams: 2,
    maxUniStreams: 3,
    idleTimeoutMs: 4,
    keepAliveIntervalMs: 0,
    udpReceiveBufferBytes: 6,
    udpSendBufferBytes: 7,
    maxConcurrentHandlers: 8,
    frameReadTimeoutMs: 9,
    maxOpenCalls: 10,
    maxBytesInFlight: 8_589_934_592,
    maxConnectionBytesInFlight: 12,
    maxFrameBytes: 4_096,
    requestTimeoutMs: 14,
    progressTimeoutMs: 15,
    http2: true,
  });
  const empty = Object.fromEntries(Object.keys(all).map((variable) => [variable, ""]));
  assert.deepEqual(serverOptionsFromEnv(empty), {});
  assert.deepEqual(serverOptionsFromEnv({ RUNTARA_QUIC_MAX: "x", PATH: "/bin" }), {});
});

test("RUNTARA_HTTP2 is exactly one of 1, true, 0, false", () => {
  for (const [text, http2] of Object.entries({ 1: true, true: true, 0: false, false: false })) {
    assert.deepEqual(serverOptionsFromEnv({ RUNTARA_HTTP2: text }), { http2 });
  }
  for (const text of ["yes", "TRUE", " 1", "2"]) {
    const message = `invalid value for RUNTARA_HTTP2: must be true, 1, false or 0 (got ${JSON.stringify(text)})`;
    assert.throws(() => serverOptionsFromEnv({ RUNTARA_HTTP2: text }), { code: "OPTION_INVALID", message });
  }
});

test("a value that cannot be read is an error with variable, form and value, never a default", () => {
  const form = "a whole number from 0 to 4294967295";
  for (const text of ["ten", "-1", "1.5", "1e3", " 5", "4294967296", "0x10"]) {
    const message = `invalid value for RUNTARA_QUIC_MAX_HANDLERS: must be ${form} (got ${JSON.stringify(text)})`;
    assert.throws(() => serverOptionsFromEnv({ RUNTARA_QUIC_MAX_HANDLERS: text }), { code: "OPTION_INVALID", message });
  }
  for (const text of ["4095", "67108865"]) {
    assert.throws(
      () => serverOptionsFromEnv({ RUNTARA_QUIC_MAX_FRAME_BYTES: text }),
      (error: Error) => error.message.includes("a whole number from 4096 to 67108864"),
    );
  }
  const long = { RUNTARA_QUIC_MAX_HANDLERS: "x".repeat(10_000) };
  assert.throws(
    () => serverOptionsFromEnv(long),
    (error: Error) => error.message.length < 200,
  );
});

test("the error can be another package's", () => {
  const invalid = (...parts: string[]): Error => new RangeError(parts.join("|"));
  assert.throws(() => serverOptionsFromEnv({ RUNTARA_QUIC_KEEP_ALIVE_MS: "soon" }, invalid), {
    name: "RangeError",
    message: "RUNTARA_QUIC_KEEP_ALIVE_MS|a whole number from 0 to 2147483647|soon",
  });
});

test("numbers: defaults of spec 1.12, and errors that name option, form and value", () => {
  const { transport, frame } = listenTransport(serverNumbers({}));
  assert.deepEqual(transport, {
    maxIncoming: 10_000,
    maxConnections: 0,
    handshakeTimeoutMs: 10_000,
    maxBidiStreams: 1_000,
    maxUniStreams: 100,
    idleTimeoutMs: 120_000,
    keepAliveIntervalMs: 15_000,
    udpReceiveBufferBytes: 2_097_152,
    udpSendBufferBytes: 2_097_152,
  });
  assert.equal(frame.payloadBytesMax, limits.framePayloadBytesMax);
  assert.equal(frame.readTimeoutMs, serverDefaults.frameReadTimeoutMs);
  assert.equal(frame.endpointUnsentBytesMax, 1_073_741_824);
  assert.equal(frame.connectionUnsentBytesMax, 134_217_728);
  assert.throws(() => serverNumbers({ maxFrameBytes: 2 ** 27 }), {
    code: "OPTION_INVALID",
    message: "maxFrameBytes must be a whole number from 4096 to 67108864, got 134217728",
  });
  for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => serverNumbers({ maxOpenCalls: value }), { code: "OPTION_INVALID" });
  }
});

test("times have the longest timer as their maximum, in options and variables", () => {
  const times = {
    idleTimeoutMs: "RUNTARA_QUIC_IDLE_TIMEOUT_MS",
    keepAliveIntervalMs: "RUNTARA_QUIC_KEEP_ALIVE_MS",
    handshakeTimeoutMs: "RUNTARA_QUIC_HANDSHAKE_TIMEOUT_MS",
    frameReadTimeoutMs: "RUNTARA_QUIC_FRAME_READ_TIMEOUT_MS",
    requestTimeoutMs: "RUNTARA_QUIC_REQUEST_TIMEOUT_MS",
    progressTimeoutMs: "RUNTARA_QUIC_PROGRESS_TIMEOUT_MS",
  };
  const max = 2_147_483_647;
  for (const [option, variable] of [...Object.entries(times), ["faultIntervalMs", undefined] as const]) {
    serverNumbers({ [option]: max });
    const message = `${option} must be a whole number from 0 to ${max}, got 2147483648`;
    assert.throws(() => serverNumbers({ [option]: max + 1 }), { code: "OPTION_INVALID", message });
    if (variable === undefined) continue;
    assert.deepEqual(serverOptionsFromEnv({ [variable]: String(max) }), { [option]: max });
    const text = `invalid value for ${variable}: must be a whole number from 0 to ${max} (got "2147483648")`;
    assert.throws(() => serverOptionsFromEnv({ [variable]: "2147483648" }), { code: "OPTION_INVALID", message: text });
  }
});

test("a server that could take no client, or none of its calls, does not start", () => {
  const zeros = { maxIncoming: "RUNTARA_QUIC_MAX_INCOMING", maxBiStreams: "RUNTARA_QUIC_MAX_BI_STREAMS" };
  for (const [option, variable] of Object.entries(zeros)) {
    const message = `${option} must be a whole number from 1 to 4294967295, got 0`;
    assert.throws(() => serverNumbers({ [option]: 0 }), { code: "OPTION_INVALID", message });
    assert.throws(() => serverOptionsFromEnv({ [variable]: "0" }), {
      code: "OPTION_INVALID",
      message: `invalid value for ${variable}: must be a whole number from 1 to 4294967295 (got "0")`,
    });
  }
});

test("half-read frames of a connection may hold what its unanswered ones may, but at least one frame", () => {
  const bufferBytes = (maxConnectionBytesInFlight: number): number | undefined =>
    listenTransport(serverNumbers({ maxConnectionBytesInFlight, maxFrameBytes: 4_096 })).frame.connectionBufferBytesMax;
  assert.equal(bufferBytes(5_000), 5_000);
  assert.equal(bufferBytes(10), 4_096);
  assert.equal(bufferBytes(0), limits.uint32Max);
});
