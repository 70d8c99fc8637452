import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { encodeFrame } from "../frames.ts";
import { contentType, path } from "../transport/http2/headers.ts";

// An HTTP/2 peer of bytes, which can do what a well-behaved library does not.

export const frameKind = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, continuation: 9 } as const;
const endStream = 1;
export const endHeaders = 4;

/** RFC 9113 section 4.1. */
export function http2Frame(kind: number, flags: number, stream: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(body.length, 0, 3);
  header.writeUInt8(kind, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, body]);
}

/** Literal fields without indexing (RFC 7541 section 6.2.2); names and values under 127 bytes. */
export function headerBlock(fields: Readonly<Record<string, string>>): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, "latin1")]);
  return Buffer.concat(Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

export const callFields: Readonly<Record<string, string>> = {
  ":method": "POST",
  ":scheme": "https",
  ":authority": "localhost",
  ":path": path,
  "content-type": contentType,
};

/** HEADERS and DATA of a call with this payload. */
export function callFrames(stream: number, payload: Uint8Array): Buffer {
  return Buffer.concat([
    http2Frame(frameKind.headers, endHeaders, stream, headerBlock(callFields)),
    http2Frame(frameKind.data, endStream, stream, encodeFrame(1, payload)),
  ]);
}

export function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Connected by TLS, preface and settings sent; what comes is left unread. */
export async function rawHttp2(port: number): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, ALPNProtocols: ["h2"], rejectUnauthorized: false });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  socket.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), http2Frame(frameKind.settings, 0, 0)]));
  return socket;
}

/** Writes step after step, as fast as the peer takes it, until the peer has had enough. */
export async function flood(socket: TLSSocket, step: (index: number) => Uint8Array, stepsMax: number): Promise<void> {
  const closed = new Promise((resolve) => socket.once("close", resolve));
  for (let i = 0; i < stepsMax && socket.writable; i++) {
    if (!socket.write(step(i))) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
  }
}
