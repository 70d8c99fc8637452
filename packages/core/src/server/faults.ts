import type { ServerFault } from "@runtara/protocol";
import type { RepeatedLog } from "./repeated-log.ts";

const faultTexts = {
  streamClosed: "a stream was no request and was closed",
  badRequest: "a request could not be read",
  handlerFailed: "a call failed unexpectedly",
  connectionRefused: "a connection was refused",
  responseTooLarge: "an answer was too large to be sent",
} as const satisfies Record<ServerFault["kind"], string>;

/** Streams that ended without reaching a service, for the log. */
export function reportFault(log: RepeatedLog, { kind, message, remoteAddress, error }: ServerFault): void {
  const details = { peer: remoteAddress, reason: message, ...(error === undefined ? {} : { err: error }) };
  log.write(kind === "handlerFailed" ? "error" : "warn", details, faultTexts[kind]);
}
