import type { ServerFault } from "@runtara/protocol";
import type { Logger } from "@runtara/server-kit";

const faultTexts = {
  streamClosed: "a stream was no request and was closed",
  badRequest: "a request could not be read",
  handlerFailed: "a call failed unexpectedly",
  connectionRefused: "a connection was refused",
  responseTooLarge: "an answer was too large to be sent",
  overloaded: "calls were refused: the server has as many as it takes",
  draining: "a call came while the server was shutting down",
  deadlineExceeded: "a call was not answered in time",
  streamStalled: "a stream stood still and was given up",
  answerUnread: "answers were given up: their clients do not read",
} as const satisfies Record<ServerFault["kind"], string>;

/** Streams that ended without reaching a service, for the log. The server says each kind at most once a second. */
export function reportFault(
  logger: Logger,
  { kind, message, remoteAddress, operation, error, count }: ServerFault,
): void {
  const details = {
    peer: remoteAddress,
    reason: message,
    ...(operation === undefined ? {} : { operation }),
    ...(count === 1 ? {} : { count }),
    ...(error === undefined ? {} : { err: error }),
  };
  logger[kind === "handlerFailed" ? "error" : "warn"](details, faultTexts[kind]);
}
