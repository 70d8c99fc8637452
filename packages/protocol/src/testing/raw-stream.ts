import { connect, type QuicConnection, type QuicStream } from "@runtara/quic";
import { decodeFrame } from "../frames.ts";
import type { QuicServer } from "../server/server.ts";

/** A connection below the protocol, for sending bytes that no client of ours would send. */
export function connectRaw(server: Pick<QuicServer, "port">): Promise<QuicConnection> {
  return connect({
    host: "127.0.0.1",
    port: server.port,
    serverName: "localhost",
    verify: "skip",
    connectTimeoutMs: 5000,
  });
}

export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

/** Everything until the server's FIN. */
export async function readAll(stream: QuicStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await stream.read();
    if (chunk === undefined) return Buffer.concat(chunks);
    chunks.push(chunk);
  }
}

/** Writes `bytes` on a stream of its own, ends it if `fin`, and returns all that comes back until the FIN. */
export async function exchange(connection: QuicConnection, bytes: Uint8Array, fin = true): Promise<Buffer> {
  const stream = await connection.openStream();
  await stream.write(bytes);
  // The server may have stopped reading already, which is as good.
  if (fin) await stream.finish().catch(() => undefined);
  return readAll(stream);
}

/** The only frame in `bytes`, which must hold nothing else. */
export function onlyFrame(bytes: Buffer): { type: number; payload: Uint8Array } {
  const frame = decodeFrame(bytes);
  if (bytes.length !== frame.payload.length + 6) throw new Error(`${bytes.length} bytes are more than one frame`);
  return frame;
}
