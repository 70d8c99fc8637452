import type { FineCode } from "./fine-codes.ts";

/**
 * The one error class of this package. `code` is a closed set: the names of @runtara/quic for what happens on the
 * network, and ours for frames, messages and answers.
 *
 * - `RPC`: the server answered with an RpcError; `rpcCode` is its code, `message` its text.
 * - `RESPONSE_UNEXPECTED`: the server answered with something else than this request asks for.
 * - `FRAME_TRUNCATED`, `FRAME_TYPE_INVALID`, `FRAME_TOO_LARGE`: bytes that are no frame (spec 1.6).
 * - `DECODE_FAILED`, `ENCODE_FAILED`: bytes that are not the message, or an object that is not one.
 * - `MESSAGE_UNKNOWN`: the object is not a request (or response) of the protocol in use.
 * - `STREAM_ENDED`: the server ended the stream without an answer, as it does for frames it refuses (spec 1.8).
 * - `CALL_FINISHED`: the stream of a call is used after it was answered, ended or taken over.
 * - `OPTION_INVALID`: an option with a value that cannot be meant.
 * - `BODY_LENGTH_WRONG`, `BODY_CHECKSUM_WRONG`: raw bytes after a frame that are not those which were announced.
 * - `UNSUPPORTED`: the server has not announced the feature that is asked for; nothing was sent.
 */
export type ProtocolErrorCode =
  | "RPC"
  | "RESPONSE_UNEXPECTED"
  | "FRAME_TRUNCATED"
  | "FRAME_TYPE_INVALID"
  | "FRAME_TOO_LARGE"
  | "DECODE_FAILED"
  | "ENCODE_FAILED"
  | "MESSAGE_UNKNOWN"
  | "OPTION_INVALID"
  | "BODY_LENGTH_WRONG"
  | "BODY_CHECKSUM_WRONG"
  | "UNSUPPORTED"
  | "ADDRESS_INVALID"
  | "BIND_FAILED"
  | "CERTIFICATE_INVALID"
  | "SERVER_NAME_INVALID"
  | "CONNECT_TIMEOUT"
  | "CONNECT_FAILED"
  | "TLS_FAILED"
  | "CONNECTION_LOST"
  | "CONNECTION_CLOSED"
  | "STREAM_RESET"
  | "STREAM_ENDED"
  | "CALL_TIMEOUT"
  | "CALL_ABORTED"
  | "CALL_FINISHED"
  | "ENDPOINT_CLOSED"
  | "ADDON_MISSING";

/** What exactly was wrong with a certificate. */
export type TlsErrorCode =
  | "TLS_NAME_MISMATCH"
  | "TLS_CERTIFICATE_EXPIRED"
  | "TLS_CERTIFICATE_UNKNOWN"
  | "TLS_CLIENT_CERTIFICATE_REQUIRED";

/** What an RpcError may say beside its code and text; 1.4.1 peers neither send nor see it. */
export interface ErrorDetails {
  /** The cause; the code beside it names only the operation. */
  readonly fineCode?: FineCode | undefined;
  /** Whether the same request may succeed later. Absent = not known. */
  readonly retryable?: boolean | undefined;
  /** Wait this long before the next try; 0 to 2^32 - 1, rounded up. Absent = the client's own delay. */
  readonly retryAfterMs?: number | undefined;
}

/** What an error may carry beside its code and text. */
export interface ProtocolErrorDetails {
  readonly cause?: unknown;
  /** With code `RPC`: the code in the server's RpcError, for example `CHECKPOINT_ERROR`. */
  readonly rpcCode?: string;
  /** With code `RPC`, from servers that say so: the cause, one of `fineCodes` or a newer one. */
  readonly fineCode?: string | undefined;
  /** Likewise: whether the same request may succeed later. */
  readonly isRetryable?: boolean | undefined;
  /** Likewise: how long to wait before the next try. */
  readonly retryAfterMs?: number | undefined;
  /** With code `CONNECTION_CLOSED`: what the side that closed said. */
  readonly closeCode?: bigint;
  readonly closeReason?: string;
  /** With code `STREAM_RESET`: the application code of the reset. */
  readonly resetCode?: bigint;
  /** With code `TLS_FAILED`, where it is known. */
  readonly tlsCode?: TlsErrorCode;
}

export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ProtocolErrorCode;
  readonly rpcCode: string | undefined;
  readonly fineCode: string | undefined;
  readonly isRetryable: boolean | undefined;
  readonly retryAfterMs: number | undefined;
  readonly closeCode: bigint | undefined;
  readonly closeReason: string | undefined;
  readonly resetCode: bigint | undefined;
  readonly tlsCode: TlsErrorCode | undefined;

  constructor(code: ProtocolErrorCode, message: string, details: ProtocolErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.rpcCode = details.rpcCode;
    this.fineCode = details.fineCode;
    this.isRetryable = details.isRetryable;
    this.retryAfterMs = details.retryAfterMs;
    this.closeCode = details.closeCode;
    this.closeReason = details.closeReason;
    this.resetCode = details.resetCode;
    this.tlsCode = details.tlsCode;
  }
}

/** Whether `value` is a ProtocolError, also one of a second installed copy of this package. */
export function isProtocolError(value: unknown): value is ProtocolError {
  return value instanceof Error && value.name === "ProtocolError" && "code" in value && "rpcCode" in value;
}
