import { constants } from "node:http2";
import { QuicError, type QuicErrorCode } from "@runtara/quic";
import { limits } from "../../limits.ts";

// The text of a GOAWAY frame says what HTTP/2's own 32 bits cannot:
//   runtara close CODE REASON     the application closes the connection
//   runtara refuse CODE REASON    the server does not let the client in; CODE is one of QuicErrorCode

/** What a peer said when it ended the connection. */
export type Farewell =
  | { readonly is: "close"; readonly code: bigint; readonly reason: string }
  | { readonly is: "refuse"; readonly error: QuicError };

const refusals: readonly QuicErrorCode[] = [
  "TLS_CERTIFICATE_EXPIRED",
  "TLS_CERTIFICATE_UNKNOWN",
  "TLS_CLIENT_CERTIFICATE_REQUIRED",
  "TLS_FAILED",
];

export function closeText(code: number, reason: string): Buffer {
  return cut(`runtara close ${code} ${reason}`);
}

export function farewellOf(text: Uint8Array | undefined): Farewell | undefined {
  const match = /^runtara (close|refuse) (\S{1,40}) (.*)$/s.exec(Buffer.from(text ?? []).toString());
  const [, kind, code = "", reason = ""] = match ?? [];
  if (kind === "close" && /^\d{1,19}$/.test(code)) return { is: "close", code: BigInt(code), reason };
  const refusal = refusals.find((one) => one === code);
  if (kind !== "refuse" || refusal === undefined) return undefined;
  return { is: "refuse", error: new QuicError(refusal, reason) };
}

/** All that a server says to a client that it does not let in: an empty SETTINGS frame and GOAWAY (RFC 9113 section 6.8). */
export function refusalBytes(code: QuicErrorCode, message: string): Buffer {
  const text = cut(`runtara refuse ${code} ${message}`);
  const settings = frameHeader(0, 4);
  const body = Buffer.alloc(8);
  body.writeUInt32BE(constants.NGHTTP2_INADEQUATE_SECURITY, 4);
  return Buffer.concat([settings, frameHeader(body.length + text.length, 7), body, text]);
}

/** Of stream 0, without flags (RFC 9113 section 4.1). */
function frameHeader(bytes: number, type: number): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(bytes, 0, 3);
  header.writeUInt8(type, 3);
  return header;
}

/** At most so many bytes, and no half character at their end. */
function cut(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length <= limits.http2ReasonBytesMax) return bytes;
  let end: number = limits.http2ReasonBytesMax;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
