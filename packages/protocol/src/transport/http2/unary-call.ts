import { type ClientHttp2Stream, constants } from "node:http2";
import { type CallOptions, type Frame, neverSent, QuicError } from "@runtara/quic";
import { limits } from "../../limits.ts";
import { answerError, type FrameBounds } from "../frame-bounds.ts";
import { resetCodeOf } from "./codes.ts";
import { FrameReader } from "./frame-reader.ts";
import { answerFault } from "./headers.ts";

/**
 * A server whose streams are all taken; it has not begun with the call. Node refuses with the second one, and may do so
 * although the client is within the announced number: it counts streams that are over but not yet cleared away.
 */
const refusals: ReadonlySet<number> = new Set([constants.NGHTTP2_REFUSED_STREAM, constants.NGHTTP2_ENHANCE_YOUR_CALM]);

/** What a call needs of its connection. */
export interface CallOwner {
  readonly bounds: FrameBounds;
  /** Why the connection has ended; undefined while it stands. */
  readonly endError: QuicError | undefined;
  /** Carries out the reset of a stream, or has it wait. */
  pace(reset: () => void): void;
  /** The call is settled; its stream may still be open. */
  onSettled(call: UnaryCall): void;
  /** The server has not begun with the call, because it has as many streams as it takes. */
  onRefused(call: UnaryCall): void;
  /** The server has answered, but its end of the stream has not come yet. */
  onAnswered(raw: ClientHttp2Stream): void;
}

/** One call: waiting for a stream, on one, or settled. */
export class UnaryCall {
  readonly promise: Promise<Frame>;
  /** The frame to send. */
  readonly bytes: Uint8Array;
  readonly #owner: CallOwner;
  readonly #settle: PromiseWithResolvers<Frame>;
  readonly #reader: FrameReader;
  /** Undefined before, and while the server has not begun with it. */
  #raw: ClientHttp2Stream | undefined;
  #isSettled = false;
  #isAnswering = false;
  #refusals = 0;
  #timer: NodeJS.Timeout | undefined;
  #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;

  constructor(owner: CallOwner, bytes: Uint8Array, options: CallOptions | undefined) {
    this.#owner = owner;
    this.bytes = bytes;
    this.#settle = Promise.withResolvers<Frame>();
    this.promise = this.#settle.promise;
    this.#reader = new FrameReader(owner.bounds);
    if (options !== undefined) this.#arm(options);
  }

  /** Its stream is there. */
  start(raw: ClientHttp2Stream): void {
    this.#raw = raw;
    raw.on("response", (headers) => {
      this.#isAnswering = true;
      const fault = answerFault(headers);
      if (fault !== undefined) this.#giveUp(new QuicError("STREAM_ENDED", `no answer of a Runtara server: ${fault}`));
    });
    raw.on("data", (piece: Uint8Array) => this.#onPiece(raw, piece));
    raw.on("end", () => this.#onEnd());
    raw.on("error", () => {});
    raw.on("close", () => this.#onClosed(raw));
    raw.end(this.bytes);
  }

  fail(error: QuicError): void {
    if (this.#isSettled) return;
    this.#over();
    this.#settle.reject(this.#raw === undefined ? neverSent(error) : error);
  }

  #onPiece(raw: ClientHttp2Stream, piece: Uint8Array): void {
    // What follows the frame is nobody's.
    if (this.#isSettled) raw.close(constants.NGHTTP2_CANCEL);
    else if (this.#reader.push(piece)) this.#onRead(raw);
  }

  #onRead(raw: ClientHttp2Stream): void {
    const { read } = this.#reader;
    if (read === undefined) return;
    if (read.fault !== undefined) {
      this.#giveUp(answerError(read));
      return;
    }
    this.#over();
    this.#settle.resolve(read);
    this.#owner.onAnswered(raw);
  }

  #onEnd(): void {
    if (this.#isSettled) return;
    this.#reader.end();
    const { read } = this.#reader;
    if (read?.fault !== undefined) this.fail(answerError(read));
  }

  #onClosed(raw: ClientHttp2Stream): void {
    if (this.#isSettled) return;
    const wire = raw.rstCode ?? 0;
    const { endError } = this.#owner;
    const isRefused = refusals.has(wire) && !this.#isAnswering && endError === undefined;
    if (isRefused && ++this.#refusals <= limits.http2RefusalsMax) {
      this.#raw = undefined;
      this.#owner.onRefused(this);
      return;
    }
    this.fail(endError ?? answerError({ fault: "STREAM_RESET", detail: resetCodeOf(wire) }));
  }

  #giveUp(error: QuicError): void {
    this.fail(error);
    const raw = this.#raw;
    if (raw !== undefined) this.#owner.pace(() => raw.close(constants.NGHTTP2_CANCEL));
  }

  #arm({ timeoutMs = 0, signal }: CallOptions): void {
    if (timeoutMs > 0) {
      const late = (): void => this.#giveUp(new QuicError("CALL_TIMEOUT", `no answer within ${timeoutMs} ms`));
      this.#timer = setTimeout(late, timeoutMs);
    }
    if (signal === undefined) return;
    this.#signal = signal;
    this.#onAbort = (): void =>
      this.#giveUp(new QuicError("CALL_ABORTED", "the call was aborted", { cause: signal.reason }));
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  #over(): void {
    this.#isSettled = true;
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#owner.onSettled(this);
  }
}
