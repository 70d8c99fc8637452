import { decodeResponse, encodeRequest } from "../envelopes.ts";
import { ProtocolError } from "../errors.ts";
import { decodeFrameHeader, encodeFrame, frameType } from "../frames.ts";
import { limits } from "../limits.ts";
import type { Answer, RequestMessage } from "../protocols/calls.ts";
import { mapped } from "../quic-errors.ts";
import type { TransportStream } from "../transport/port.ts";
import type { OpenStreamOptions } from "./connection.ts";
import { connected, type RequestTarget } from "./send-request.ts";
import { unlessGivenUp } from "./unless-given-up.ts";

/**
 * Opens a stream with a request frame on it; raw bytes may follow in both directions. For uploads (write, finish,
 * readResponse) and downloads (finish, readResponse, read until undefined). Signal and time-out hold until the frame has
 * been taken, the signal for connecting, too.
 *
 * @throws ProtocolError as `sendRequest` does.
 */
export async function openStream<M extends RequestMessage>(
  target: RequestTarget,
  request: M,
  options: OpenStreamOptions = {},
): Promise<RpcStream<M>> {
  const frame = encodeFrame(frameType.request, encodeRequest(request));
  const { signal } = options;
  const connection = await connected(target, signal);
  const { timeoutMs = connection.requestTimeoutMs } = options;
  const startedAt = performance.now();
  const stream = await connection.openStream({ signal, timeoutMs });
  // Never 0, which would mean none.
  const leftMs = timeoutMs > 0 ? Math.max(1, Math.ceil(timeoutMs - (performance.now() - startedAt))) : 0;
  try {
    await unlessGivenUp(() => mapped(stream.write(frame)), { signal, timeoutMs: leftMs }, "sending the request frame");
  } catch (error) {
    stream.reset(0);
    stream.stop(0);
    throw error;
  }
  return new RpcStream(stream, request);
}

export class RpcStream<M extends RequestMessage> {
  readonly #stream: TransportStream;
  readonly #request: M;
  /** Bytes that were read with the response but come after it. */
  #rest: Uint8Array | undefined;

  /** For `openStream`. */
  constructor(stream: TransportStream, request: M) {
    this.#stream = stream;
    this.#request = request;
  }

  /** Resolves when there is room for more; await it, or memory grows. */
  write(bytes: Uint8Array): Promise<void> {
    return mapped(this.#stream.write(bytes));
  }

  /** Says that nothing more will be written. */
  finish(): Promise<void> {
    return mapped(this.#stream.finish());
  }

  /**
   * Reads the response frame. Call it once, before `read`.
   *
   * @throws ProtocolError as `sendRequest` does; FRAME_TRUNCATED if the stream ends inside the frame.
   */
  async readResponse(): Promise<Answer<M>> {
    const chunks: Uint8Array[] = [];
    let received = 0;
    let needed: number = limits.frameHeaderBytes;
    let header: { payloadBytes: number } | undefined;
    while (received < needed || header === undefined) {
      if (received < needed) {
        const chunk = await mapped(this.#stream.read());
        if (chunk === undefined) throw endedEarly(received, needed);
        chunks.push(chunk);
        received += chunk.length;
      }
      if (header === undefined && received >= limits.frameHeaderBytes) {
        header = decodeFrameHeader(Buffer.concat(chunks, limits.frameHeaderBytes));
        needed = limits.frameHeaderBytes + header.payloadBytes;
      }
    }
    const bytes = Buffer.concat(chunks);
    if (bytes.length > needed) this.#rest = bytes.subarray(needed);
    return decodeResponse(this.#request, bytes.subarray(limits.frameHeaderBytes, needed)) as Answer<M>;
  }

  /** Raw bytes after the response frame; undefined at the end of the stream. */
  read(): Promise<Uint8Array | undefined> {
    const rest = this.#rest;
    this.#rest = undefined;
    return rest ? Promise.resolve(rest) : mapped(this.#stream.read());
  }

  /** Gives the stream up in both directions; the server sees `code`. */
  abandon(code = 0): void {
    this.#stream.reset(code);
    this.#stream.stop(code);
  }
}

function endedEarly(received: number, needed: number): ProtocolError {
  if (received === 0) return new ProtocolError("STREAM_ENDED", "frame error: connection closed: no answer came");
  return new ProtocolError(
    "FRAME_TRUNCATED",
    `frame error: IO error: stream ended after ${received} of ${needed} bytes`,
  );
}
