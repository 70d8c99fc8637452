import type { IncomingHttpHeaders, IncomingHttpStatusHeader, OutgoingHttpHeaders } from "node:http2";

// A call is a POST whose body is what a QUIC stream would carry: a frame, and what follows it. So is its answer.

export const path = "/runtara/1";
export const contentType = "application/vnd.runtara.frames";

export function requestHeaders(authority: string): OutgoingHttpHeaders {
  return {
    ":method": "POST",
    ":scheme": "https",
    ":authority": authority,
    ":path": path,
    "content-type": contentType,
  };
}

export const answerHeaders: OutgoingHttpHeaders = { ":status": 200, "content-type": contentType };

/** The HTTP status for a request that is no call of ours; undefined if it is one. */
export function refusedStatus(headers: IncomingHttpHeaders): number | undefined {
  if (headers[":path"] !== path) return 404;
  if (headers[":method"] !== "POST") return 405;
  return headers["content-type"] === contentType ? undefined : 415;
}

/** What is wrong with the head of an answer; undefined if nothing is. */
export function answerFault(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): string | undefined {
  if (headers[":status"] !== 200) return `HTTP status ${headers[":status"]}`;
  const type = headers["content-type"];
  return type === contentType ? undefined : `content type ${type ?? "unset"}`;
}

/** Without the `date` that Node adds otherwise. */
export const answerOptions = { endStream: false, sendDate: false };
