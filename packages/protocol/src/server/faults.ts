/** Something a server's log should know; nothing needs to be done about it. */
export interface ServerFault {
  /**
   * - `streamClosed`: bytes that are no frame, or a stream that the client broke off; it was ended without an answer.
   * - `badRequest`: a frame that is no request; it was answered with an RpcError.
   * - `handlerFailed`: `onCall` threw `error`; the stream was ended without an answer.
   * - `responseTooLarge`: an answer over 64 MiB; the stream was ended without it.
   * - `connectionRefused`: more connections than `maxConcurrentHandlers`.
   */
  readonly kind: "streamClosed" | "badRequest" | "handlerFailed" | "responseTooLarge" | "connectionRefused";
  readonly message: string;
  readonly remoteAddress: string;
  readonly error?: unknown;
}

/** What becomes of faults when nobody listens: only a bug of the server itself is worth a warning. */
export function warnOfFailedHandlers(fault: ServerFault): void {
  if (fault.kind === "handlerFailed") process.emitWarning(fault.message, { code: "RUNTARA_HANDLER_FAILED" });
}
