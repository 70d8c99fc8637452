import type { UnderlyingSink } from "node:stream/web";
import type { ProtocolError } from "../errors.ts";
import { limits } from "../limits.ts";
import { fromQuicError } from "../quic-errors.ts";
import type { TransportStream } from "../transport/port.ts";
import { Guard, type GuardOptions } from "./guard.ts";
import { checkChunk, slices } from "./pieces.ts";
import { type BodyExpectation, Tally } from "./tally.ts";

export interface WritableBodyOptions extends BodyExpectation, GuardOptions {
  /** What the peer sees when the body is aborted, given up or not as expected. Default 0. */
  readonly resetCode?: number | undefined;
}

/** The writing side of a stream as a Web stream. */
export interface WritableBody extends WritableStream<Uint8Array> {
  /** Bytes written so far. */
  readonly bytes: number;
  /** Lower-case hex, if asked for, once it was closed. */
  readonly sha256: string | undefined;
}

/**
 * Writes raw bytes on `stream`. Back-pressured: a write resolves when the stream has room for more, which holds about
 * 1 MiB; the chunk must not change before. `close()` ends this side after what was written; a body that is not as
 * expected, `abort()`, the signal and the time-out reset it instead, so the peer never takes a part for the whole.
 *
 * Writes and `close()` reject with ProtocolError: BODY_LENGTH_WRONG, BODY_CHECKSUM_WRONG, CALL_ABORTED, CALL_TIMEOUT,
 * ENCODE_FAILED for chunks that are no Uint8Array, STREAM_RESET with the code of a peer that stopped, and the end of the
 * connection.
 *
 * @throws ProtocolError OPTION_INVALID; CALL_ABORTED if the signal is aborted already.
 */
export function writableBody(
  stream: Pick<TransportStream, "write" | "finish" | "reset">,
  options: WritableBodyOptions = {},
): WritableBody {
  const sink = new BodySink(stream, options);
  const strategy = new ByteLengthQueuingStrategy({ highWaterMark: limits.bodyQueuedBytesMax });
  return Object.defineProperties(new WritableStream<Uint8Array>(sink, strategy), {
    bytes: { get: () => sink.tally.bytes },
    sha256: { get: () => sink.tally.sha256 },
  }) as WritableBody;
}

class BodySink implements UnderlyingSink<Uint8Array> {
  readonly tally: Tally;
  readonly #stream: Pick<TransportStream, "write" | "finish" | "reset">;
  readonly #resetCode: number;
  readonly #guard: Guard;
  #controller: WritableStreamDefaultController | undefined;
  #failure: ProtocolError | undefined;

  constructor(stream: Pick<TransportStream, "write" | "finish" | "reset">, options: WritableBodyOptions) {
    this.#stream = stream;
    this.#resetCode = options.resetCode ?? 0;
    this.tally = new Tally(options);
    this.#guard = new Guard(options, (why) => this.#giveUp(why));
  }

  start(controller: WritableStreamDefaultController): void {
    this.#controller = controller;
    // During a write that waits for the peer, `abort` would be called only after it. (Node's typings lack the signal.)
    const { signal } = controller as WritableStreamDefaultController & { readonly signal: AbortSignal };
    signal.addEventListener("abort", () => this.#stream.reset(this.#resetCode));
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#orReset(async () => {
      checkChunk(chunk);
      this.tally.add(chunk);
      for (const piece of slices(chunk)) {
        this.#guard.wait();
        await this.#stream.write(piece);
        this.#guard.progress();
      }
    });
  }

  close(): Promise<void> {
    return this.#orReset(async () => {
      this.tally.end();
      this.#guard.wait();
      await this.#stream.finish();
      this.#guard.end();
    });
  }

  abort(): void {
    this.#guard.end();
    this.#stream.reset(this.#resetCode);
  }

  async #orReset(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#guard.end();
      this.#stream.reset(this.#resetCode);
      throw this.#failure ?? fromQuicError(error);
    }
  }

  #giveUp(why: ProtocolError): void {
    this.#failure = why;
    this.#stream.reset(this.#resetCode);
    this.#controller?.error(why);
  }
}
