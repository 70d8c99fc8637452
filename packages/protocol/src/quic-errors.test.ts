import assert from "node:assert/strict";
import { test } from "node:test";
import { QuicError, type QuicErrorCode } from "@runtara/quic";
import { isProtocolError, ProtocolError } from "./errors.ts";
import { fromQuicError, wasNeverSent } from "./quic-errors.ts";

// The beginnings are those of the original's texts, see spec 1.12.
const expected: Record<QuicErrorCode, string> = {
  ADDRESS_INVALID: "connect error: why",
  BIND_FAILED: "bind error: why",
  CERTIFICATE_INVALID: "TLS error: why",
  SERVER_NAME_INVALID: "invalid server name: why",
  CONNECT_TIMEOUT: "connection timed out: why",
  CONNECT_FAILED: "connection error: why",
  TLS_FAILED: "connection error: why",
  CONNECTION_LOST: "connection error: why",
  CONNECTION_CLOSED: "connection error: why",
  STREAM_RESET: "frame error: IO error: why",
  STREAM_ENDED: "frame error: connection closed: why",
  FRAME_TYPE_INVALID: "frame error: why",
  FRAME_TOO_LARGE: "frame error: why",
  CALL_TIMEOUT: "read error: why",
  CALL_ABORTED: "read error: why",
  CALL_FINISHED: "stream closed: why",
  ENDPOINT_CLOSED: "no connection established: why",
  ADDON_MISSING: "why",
  TLS_NAME_MISMATCH: "connection error: why",
  TLS_CERTIFICATE_EXPIRED: "connection error: why",
  TLS_CERTIFICATE_UNKNOWN: "connection error: why",
  TLS_CLIENT_CERTIFICATE_REQUIRED: "connection error: why",
};

for (const [code, message] of Object.entries(expected)) {
  test(`network error ${code}`, () => {
    const cause = new QuicError(code as QuicErrorCode, "why", { closeCode: 1n, closeReason: "r", resetCode: 2n });
    const error = fromQuicError(cause);
    assert.ok(error instanceof ProtocolError);
    const tlsCode = code.startsWith("TLS_") && code !== "TLS_FAILED" ? code : undefined;
    assert.deepEqual([error.code, error.tlsCode], [tlsCode === undefined ? code : "TLS_FAILED", tlsCode]);
    assert.deepEqual([error.message, error.cause], [message, cause]);
    assert.deepEqual([error.closeCode, error.closeReason, error.resetCode], [1n, "r", 2n]);
  });
}

test("frame errors are told in the original's words", () => {
  const type = fromQuicError(new QuicError("FRAME_TYPE_INVALID", "outside the range: 7"));
  assert.equal((type as Error).message, "frame error: invalid message type: 7");
  const size = fromQuicError(new QuicError("FRAME_TOO_LARGE", "over the limit: 67108865"));
  assert.equal((size as Error).message, "frame error: frame too large: 67108865 bytes (max: 67108864)");
});

test("only an error that says so is one of a call that was never sent", () => {
  const lost = (details: { wasSent?: false }): unknown =>
    fromQuicError(new QuicError("CONNECTION_LOST", "timed out", details));
  assert.equal(wasNeverSent(lost({ wasSent: false })), true);
  assert.equal(wasNeverSent(lost({})), false);
  assert.equal(wasNeverSent(new TypeError("a bug")), false);
});

test("other errors are left as they are", () => {
  const error = new TypeError("a bug");
  assert.equal(fromQuicError(error), error);
});

test("an error of a second installed copy is recognised", () => {
  class ProtocolErrorCopy extends Error {
    override readonly name = "ProtocolError";
    readonly code = "RPC";
    readonly rpcCode = "EMPTY_REQUEST";
  }
  assert.ok(isProtocolError(new ProtocolErrorCopy()));
  assert.ok(isProtocolError(new ProtocolError("RPC", "no")));
  assert.ok(!isProtocolError(new Error("no")));
  assert.ok(!isProtocolError({ name: "ProtocolError", code: "RPC", rpcCode: undefined }));
});
