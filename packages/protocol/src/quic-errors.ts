import type { QuicErrorCode } from "@runtara/quic";
import { ProtocolError, type ProtocolErrorCode, type TlsErrorCode } from "./errors.ts";
import { frameSizeText, frameTypeText } from "./frames.ts";

/**
 * What each network error is called here, and how its text begins. The beginnings are those of the original's
 * libraries (spec 1.12), because that is what its users search for.
 */
const beginnings: Record<QuicErrorCode, string> = {
  ADDRESS_INVALID: "connect error: ",
  BIND_FAILED: "bind error: ",
  CERTIFICATE_INVALID: "TLS error: ",
  SERVER_NAME_INVALID: "invalid server name: ",
  CONNECT_TIMEOUT: "connection timed out: ",
  CONNECT_FAILED: "connection error: ",
  TLS_FAILED: "connection error: ",
  CONNECTION_LOST: "connection error: ",
  CONNECTION_CLOSED: "connection error: ",
  STREAM_RESET: "frame error: IO error: ",
  STREAM_ENDED: "frame error: connection closed: ",
  FRAME_TYPE_INVALID: "frame error: ",
  FRAME_TOO_LARGE: "frame error: ",
  CALL_TIMEOUT: "read error: ",
  CALL_ABORTED: "read error: ",
  CALL_FINISHED: "stream closed: ",
  ENDPOINT_CLOSED: "no connection established: ",
  ADDON_MISSING: "",
  TLS_NAME_MISMATCH: "connection error: ",
  TLS_CERTIFICATE_EXPIRED: "connection error: ",
  TLS_CERTIFICATE_UNKNOWN: "connection error: ",
  TLS_CLIENT_CERTIFICATE_REQUIRED: "connection error: ",
};

/** Kinds of TLS_FAILED: callers decide by that one code, `tlsCode` tells them apart. */
const tlsCodes = [
  "TLS_NAME_MISMATCH",
  "TLS_CERTIFICATE_EXPIRED",
  "TLS_CERTIFICATE_UNKNOWN",
  "TLS_CLIENT_CERTIFICATE_REQUIRED",
] as const;

function tlsCodeOf(code: QuicErrorCode): TlsErrorCode | undefined {
  return tlsCodes.find((one) => one === code);
}

/** The part of a QuicError that is read here; by name, so that it may come from a second installed copy. */
interface QuicErrorLike extends Error {
  readonly code: QuicErrorCode;
  readonly closeCode?: bigint;
  readonly closeReason?: string;
  readonly resetCode?: bigint;
  readonly wasSent?: false;
}

function isQuicError(error: unknown): error is QuicErrorLike {
  return error instanceof Error && error.name === "QuicError" && "code" in error && String(error.code) in beginnings;
}

/** A QuicError as a ProtocolError with the same code; anything else as it is, because it is not about the network. */
export function fromQuicError(error: unknown): unknown {
  if (!isQuicError(error)) return error;
  const { closeCode, closeReason, resetCode } = error;
  const tlsCode = tlsCodeOf(error.code);
  return new ProtocolError(tlsCode === undefined ? (error.code as ProtocolErrorCode) : "TLS_FAILED", textOf(error), {
    cause: error,
    ...(tlsCode === undefined ? {} : { tlsCode }),
    ...(closeCode === undefined ? {} : { closeCode }),
    ...(closeReason === undefined ? {} : { closeReason }),
    ...(resetCode === undefined ? {} : { resetCode }),
  });
}

function textOf(error: QuicErrorLike): string {
  const beginning = beginnings[error.code];
  // The bad type or length stands at the end of the text.
  const number = /(\d+)$/.exec(error.message)?.[1];
  if (error.code === "FRAME_TYPE_INVALID" && number) return beginning + frameTypeText(Number(number));
  if (error.code === "FRAME_TOO_LARGE" && number) return beginning + frameSizeText(Number(number));
  return beginning + error.message;
}

/** Whether it is certain that the server has seen nothing of the call that failed so. */
export function wasNeverSent(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return isQuicError(cause) && cause.wasSent === false;
}

/** Awaits `promise` and turns its network errors into ours. */
export async function mapped<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw fromQuicError(error);
  }
}
