import { type ConnectionClosed, QuicError } from "@runtara/quic";

/** The error of what the end of its connection cut off. */
export function closedError(why: ConnectionClosed): QuicError {
  if (why.error !== undefined) return why.error;
  const closer = why.by === "local" ? "here" : "by the peer";
  const message = `connection closed ${closer} with code ${why.code}${why.reason === "" ? "" : `: ${why.reason}`}`;
  return new QuicError("CONNECTION_CLOSED", message, { closeCode: why.code, closeReason: why.reason });
}
