import type { UnderlyingByteSource } from "node:stream/web";
import type { TransportStream } from "../transport/port.ts";
import { CheckedReader, type ReadBodyOptions } from "./checked-reader.ts";
import type { Tally } from "./tally.ts";

/** The raw bytes of a stream as a Web byte stream. */
export interface ReadableBody extends ReadableStream<Uint8Array<ArrayBuffer>> {
  /** Bytes read so far; all of them once it has ended. */
  readonly bytes: number;
  /** Lower-case hex, if asked for, once it has ended. */
  readonly sha256: string | undefined;
}

/**
 * The bytes that the peer writes on `stream` until its end, for example of `context.stream()` in a handler. Back-pressured:
 * it holds no byte of its own that nobody has asked for, the stream about 1 MiB, and the rest waits at the peer. Chunks
 * belong to the reader, which costs a copy; `bodyChunks` does without. `cancel()` and the options' signal and time-out
 * tell the peer to stop writing. Read it to its end or cancel it, or the stream stays open.
 *
 * Reads reject with ProtocolError: BODY_LENGTH_WRONG, BODY_CHECKSUM_WRONG (both instead of the end), CALL_ABORTED,
 * CALL_TIMEOUT, STREAM_RESET with the peer's code, and the end of the connection.
 *
 * @throws ProtocolError OPTION_INVALID; CALL_ABORTED if the signal is aborted already.
 */
export function readableBody(
  stream: Pick<TransportStream, "read" | "stop">,
  options: ReadBodyOptions = {},
): ReadableBody {
  const source = new BodySource(stream, options);
  const body = new ReadableStream(source, { highWaterMark: 0 });
  return Object.defineProperties(body, {
    bytes: { get: () => source.tally.bytes },
    sha256: { get: () => source.tally.sha256 },
  }) as ReadableBody;
}

class BodySource implements UnderlyingByteSource {
  readonly type = "bytes";
  readonly #reader: CheckedReader;
  #controller: ReadableByteStreamController | undefined;
  #isGivenUp = false;
  /** What did not fit into the reader's own buffer. */
  #rest: Uint8Array | undefined;

  constructor(stream: Pick<TransportStream, "read" | "stop">, options: ReadBodyOptions) {
    this.#reader = new CheckedReader(stream, options, (why) => {
      this.#isGivenUp = true;
      this.#rest = undefined;
      this.#controller?.error(why);
    });
  }

  get tally(): Tally {
    return this.#reader.tally;
  }

  start(controller: ReadableByteStreamController): void {
    this.#controller = controller;
  }

  async pull(controller: ReadableByteStreamController): Promise<void> {
    const piece = this.#rest ?? (await this.#reader.next());
    this.#rest = undefined;
    if (this.#isGivenUp) return;
    const view = controller.byobRequest?.view;
    if (piece === undefined) {
      controller.close();
      if (view) controller.byobRequest?.respond(0);
    } else if (view) {
      const taken = piece.subarray(0, view.byteLength);
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(taken);
      if (taken.length < piece.length) this.#rest = piece.subarray(taken.length);
      controller.byobRequest?.respond(taken.length);
    } else {
      controller.enqueue(ownBytes(piece));
    }
  }

  cancel(): void {
    this.#reader.cancel();
  }
}

/** Byte streams take a chunk's whole buffer away from everybody else, so a view of a shared one is copied. */
function ownBytes(piece: Uint8Array): Uint8Array<ArrayBuffer> {
  const isWhole = piece.byteLength === piece.buffer.byteLength && piece.constructor === Uint8Array;
  return isWhole ? (piece as Uint8Array<ArrayBuffer>) : new Uint8Array(piece);
}
