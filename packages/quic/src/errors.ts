/** The order is that of `Kind` in native/src/failure.rs. */
export const nativeErrorCodes = [
  "ADDRESS_INVALID",
  "BIND_FAILED",
  "CERTIFICATE_INVALID",
  "SERVER_NAME_INVALID",
  "CONNECT_TIMEOUT",
  "CONNECT_FAILED",
  "TLS_FAILED",
  "CONNECTION_LOST",
  "CONNECTION_CLOSED",
  "STREAM_RESET",
  "STREAM_ENDED",
  "FRAME_TYPE_INVALID",
  "FRAME_TOO_LARGE",
  "CALL_TIMEOUT",
  "CALL_ABORTED",
  "TLS_NAME_MISMATCH",
  "TLS_CERTIFICATE_EXPIRED",
  "TLS_CERTIFICATE_UNKNOWN",
  "TLS_CLIENT_CERTIFICATE_REQUIRED",
] as const;

/**
 * What went wrong.
 *
 * - `CONNECTION_CLOSED`: one of the two applications closed it; `closeCode` and `closeReason` are set.
 * - `CONNECTION_LOST`: idle timeout, transport error or stateless reset.
 * - `TLS_NAME_MISMATCH`: the server's certificate is not for `serverName`.
 * - `TLS_CERTIFICATE_EXPIRED`: one side's certificate is not valid now, or not yet.
 * - `TLS_CERTIFICATE_UNKNOWN`: no trusted authority has signed it, or it is not the pinned one.
 * - `TLS_CLIENT_CERTIFICATE_REQUIRED`: the server lets in no client without a certificate.
 * - `TLS_FAILED`: every other end of a handshake.
 * - `STREAM_RESET`: the peer reset the stream or stopped reading it; `resetCode` is set.
 * - `STREAM_ENDED`: the peer ended the stream before a whole frame came.
 * - `CALL_FINISHED`: the incoming call has been answered, ended or turned into a raw stream already.
 */
export type QuicErrorCode = (typeof nativeErrorCodes)[number] | "CALL_FINISHED" | "ENDPOINT_CLOSED" | "ADDON_MISSING";

/** Details of a {@link QuicError}; which ones are set depends on the code. */
export interface QuicErrorDetails {
  readonly closeCode?: bigint | undefined;
  readonly closeReason?: string | undefined;
  readonly resetCode?: bigint | undefined;
  /** False: it is certain that the peer has seen nothing of the call. Absent: it may have. */
  readonly wasSent?: false | undefined;
  readonly cause?: unknown;
}

/** The only error this package throws or rejects with. */
export class QuicError extends Error {
  override readonly name = "QuicError";
  readonly code: QuicErrorCode;
  declare readonly closeCode?: bigint;
  declare readonly closeReason?: string;
  declare readonly resetCode?: bigint;
  declare readonly wasSent?: false;

  constructor(code: QuicErrorCode, message: string, details: QuicErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.closeCode !== undefined) this.closeCode = details.closeCode;
    if (details.closeReason !== undefined) this.closeReason = details.closeReason;
    if (details.resetCode !== undefined) this.resetCode = details.resetCode;
    if (details.wasSent !== undefined) this.wasSent = details.wasSent;
  }
}

/** Why the first frame of an incoming stream did not come. `BUFFER_EXHAUSTED`: no room became free in time. */
export type CallFault =
  | "FRAME_TYPE_INVALID"
  | "FRAME_TOO_LARGE"
  | "FRAME_TRUNCATED"
  | "FRAME_TIMEOUT"
  | "STREAM_RESET"
  | "BUFFER_EXHAUSTED";

/** The order is that of `Fault` in native/src/frame.rs, which starts at 1. */
export const callFaults: readonly (CallFault | undefined)[] = [
  undefined,
  "FRAME_TYPE_INVALID",
  "FRAME_TOO_LARGE",
  "FRAME_TRUNCATED",
  "FRAME_TIMEOUT",
  "STREAM_RESET",
  "BUFFER_EXHAUSTED",
];

/** The order is that of `EndedBy` in native/src/failure.rs. */
export const closedBy = ["local", "peer", "lost"] as const;

/** How a connection ended: closed here, closed by the peer's application, or lost. `code` and `reason` are the closer's. */
export interface ConnectionClosed {
  readonly by: (typeof closedBy)[number];
  readonly code: bigint;
  readonly reason: string;
  /** Set when the connection was lost. */
  readonly error?: QuicError;
}

/** The error of a call that the end of its connection cut off. */
export function closedError(why: ConnectionClosed): QuicError {
  if (why.error !== undefined) return why.error;
  const closer = why.by === "local" ? "here" : "by the peer";
  const message = `connection closed ${closer} with code ${why.code}${why.reason === "" ? "" : `: ${why.reason}`}`;
  return new QuicError("CONNECTION_CLOSED", message, { closeCode: why.code, closeReason: why.reason });
}

/** The same failure, of a call of which the peer has seen nothing; for networks beside this one with the same errors. */
export function neverSent(error: QuicError): QuicError {
  const { code, message, closeCode, closeReason, resetCode, cause } = error;
  return new QuicError(code, message, { closeCode, closeReason, resetCode, cause, wasSent: false });
}

/** An error that the native side reported as a number, a code and a text. */
export function nativeError(kind: number, code: bigint, text: string): QuicError {
  const name = nativeErrorCodes[kind] ?? "CONNECTION_LOST";
  switch (name) {
    case "CONNECTION_CLOSED":
      return closedError({ by: "peer", code, reason: text });
    case "STREAM_RESET":
      return new QuicError(name, `${text}, code ${code}`, { resetCode: code });
    case "STREAM_ENDED":
      return new QuicError(name, `the peer ended the stream after ${code} bytes, before a whole frame came`);
    case "FRAME_TYPE_INVALID":
    case "FRAME_TOO_LARGE":
      return new QuicError(name, `${text}: ${code}`);
    default:
      return new QuicError(name, text);
  }
}
