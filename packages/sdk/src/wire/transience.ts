import type { ProtocolError, ProtocolErrorCode } from "@runtara/protocol";

/** What may be over at the next try: the network, a core that restarts. Everything else is a mistake, or an answer. */
const transient: ReadonlySet<ProtocolErrorCode> = new Set<ProtocolErrorCode>([
  "CONNECT_TIMEOUT",
  "CONNECT_FAILED",
  "CONNECTION_LOST",
  "CONNECTION_CLOSED",
  "STREAM_RESET",
  "STREAM_ENDED",
  "FRAME_TRUNCATED",
  "CALL_TIMEOUT",
  "CALL_ABORTED",
  "CALL_FINISHED",
  "ENDPOINT_CLOSED",
  "DECODE_FAILED",
  "RESPONSE_UNEXPECTED",
  // The certificate of a core that comes back may be another for a moment.
  "TLS_FAILED",
]);

/** Refusals of a core that has too much to do or is about to end say of themselves that they are passing. */
const passing: ReadonlySet<string> = new Set(["OVERLOADED", "DRAINING", "DEADLINE_EXCEEDED"]);

export function isTransient({ code, fineCode }: ProtocolError): boolean {
  return transient.has(code) || (code === "RPC" && fineCode !== undefined && passing.has(fineCode));
}
