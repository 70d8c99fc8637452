import { constants, type Http2Stream } from "node:http2";
import { QuicError } from "@runtara/quic";
import { limits } from "../../limits.ts";
import type { TransportStream } from "../port.ts";
import { resetCodeOf, wireCode } from "./codes.ts";

type Side = { readonly is: "open" } | { readonly is: "ended" } | { readonly is: "failed"; readonly error: QuicError };
type Waiter<T> = { readonly resolve: (value: T) => void; readonly reject: (error: QuicError) => void };

const open: Side = { is: "open" };
const ended: Side = { is: "ended" };

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly side: "client" | "server";
  /** Why the connection has ended, for what that cut off; undefined while it stands. */
  readonly endError: QuicError | undefined;
  /** While something is pending the process lives; only clients keep it alive. */
  hold(): void;
  release(): void;
  /** Carries out the reset of a stream, or has it wait. */
  pace(reset: () => void): void;
  /** Has the peer know at once that what it writes on this stream is not read any more. */
  tellStop(raw: Http2Stream, code: number): void;
}

/** Whoever reads the first frame of a stream, before its bytes go to readers. */
export interface FirstReader {
  onPiece(piece: Uint8Array): void;
  onEnd(): void;
  onFailed(error: QuicError): void;
}

/**
 * An HTTP/2 stream as the port wants it. HTTP/2 resets both directions at once, so `reset` ends reading, too. `stop` while
 * this side still writes is told by a PING; a peer that does not know it is held up by flow control, and gets the reset
 * as soon as this side has finished writing.
 */
export class ByteStream implements TransportStream {
  readonly raw: Http2Stream;
  /** Nobody waits for what is written here any more: the peer has reset the stream, or the connection is gone. */
  onStopped: (() => void) | undefined;
  readonly #owner: StreamOwner;
  #first: FirstReader | undefined;
  #reading: Side = open;
  #writing: Side = open;
  #endsByTrailers = false;
  #hasRemoteEnd = false;
  #isFlushed = false;
  #isClosed = false;
  #stopCode: number | undefined;
  #isPeerStopped = false;
  /** What came after `stop`. */
  #ignoredBytes = 0;
  /** Called once when the last bytes have left, or never will. */
  #onLeft: (() => void) | undefined;
  #pieces: Uint8Array[] = [];
  #unreadBytes = 0;
  #readers: Waiter<Uint8Array | undefined>[] = [];
  #unsentBytes = 0;
  #roomWaiters: Waiter<void>[] = [];
  #lastWrite: Promise<void> = Promise.resolve();
  #finish: Promise<void> | undefined;

  constructor(raw: Http2Stream, owner: StreamOwner, first?: FirstReader) {
    this.raw = raw;
    this.#owner = owner;
    this.#first = first;
    raw.on("data", (piece: Uint8Array) => this.#onPiece(piece));
    raw.on("end", () => this.#onEnd());
    raw.on("finish", () => !this.#endsByTrailers && this.#onFlushed());
    raw.on("wantTrailers", () => this.#onWantTrailers());
    raw.on("aborted", () => this.#onAborted());
    raw.on("error", () => {});
    raw.on("close", () => this.#onClosed());
  }

  get isOver(): boolean {
    return this.#isClosed;
  }

  /** The peer has ended its side. */
  get hasRemoteEnd(): boolean {
    return this.#hasRemoteEnd;
  }

  /**
   * For streams with `waitForTrailers`: Node ends a stream before it resets it, and what was cut off would look whole to
   * the peer. With trailers due it cannot, and the end is said only in `#onWantTrailers`.
   */
  endsByTrailers(): void {
    this.#endsByTrailers = true;
  }

  /** From now on bytes go to readers, these ones first. */
  hand(rest: Uint8Array): void {
    this.#first = undefined;
    if (rest.length > 0) this.#onPiece(rest);
  }

  /** Whether `first` is to get no more for now. */
  holdBack(isHeld: boolean): void {
    if (isHeld) this.raw.pause();
    else this.raw.resume();
  }

  read(): Promise<Uint8Array | undefined> {
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      this.#unreadBytes -= piece.length;
      if (this.#unreadBytes < limits.http2UnreadBytesMax && this.raw.isPaused()) this.raw.resume();
      return Promise.resolve(piece);
    }
    if (this.#reading.is === "ended") return Promise.resolve(undefined);
    if (this.#reading.is === "failed") return Promise.reject(this.#reading.error);
    this.#owner.hold();
    return new Promise<Uint8Array | undefined>((resolve, reject) => {
      this.#readers.push({ resolve, reject });
    }).finally(() => this.#owner.release());
  }

  write(bytes: Uint8Array): Promise<void> {
    const written = this.#lastWrite.then(() => this.#writePieces(bytes));
    this.#lastWrite = written.catch(() => {});
    this.#owner.hold();
    return written.finally(() => this.#owner.release());
  }

  finish(): Promise<void> {
    this.#finish ??= this.#lastWrite.then(() => {
      if (this.#writing.is === "failed") {
        this.#endAfterStop();
        throw this.#writing.error;
      }
      this.end();
    });
    // Whoever does not await it learns of a failure by reading.
    this.#finish.catch(() => {});
    return this.#finish;
  }

  /** The last bytes, unless the stream has gone. `onLeft` is called once when they have left, or never will. */
  end(bytes?: Uint8Array, onLeft?: () => void): void {
    const isAlive = !this.raw.destroyed && !this.raw.closed;
    if (this.#writing.is !== "open" || !isAlive) {
      if (this.#writing.is === "open") this.#writing = ended;
      this.#endAfterStop();
      onLeft?.();
      return;
    }
    this.#writing = ended;
    this.#onLeft = onLeft;
    this.raw.end(bytes);
  }

  reset(code: number): void {
    const wire = wireCode(code);
    this.#endAfterStop();
    if (this.#writing.is !== "open") return;
    const error = new QuicError("CALL_FINISHED", "the stream was reset here");
    this.#endWriting({ is: "failed", error });
    this.#endReading({ is: "failed", error });
    this.#close(wire);
  }

  stop(code: number): void {
    wireCode(code);
    this.#pieces = [];
    if (this.#reading.is !== "open") return;
    this.#endReading(ended);
    this.#stopCode = code;
    // What is on the way is thrown away, or a peer that reads only after writing would wait for ever.
    if (this.raw.isPaused()) this.raw.resume();
    if (this.#isFlushed) this.#resetStopped();
    else if (this.#writing.is === "open" && !this.#hasRemoteEnd) this.#owner.tellStop(this.raw, code);
  }

  /** The peer does not read any more what is written here. */
  onPeerStopped(code: number): void {
    if (this.#writing.is !== "open") return;
    this.#isPeerStopped = true;
    this.#endWriting({ is: "failed", error: resetError(code) });
    this.#endAfterStop();
    this.onStopped?.();
  }

  /** Ends it in both directions, whatever their state. */
  abandon(): void {
    this.#endReading(ended);
    if (this.#writing.is === "open") this.#writing = ended;
    this.#close(constants.NGHTTP2_CANCEL);
  }

  async #writePieces(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; ) {
      while (this.#unsentBytes >= limits.http2UnsentBytesMax && this.#writing.is === "open") {
        await new Promise<void>((resolve, reject) => this.#roomWaiters.push({ resolve, reject }));
      }
      this.#checkWritable();
      // A copy: the writer may use its bytes again as soon as there is room for more.
      const piece = Buffer.from(bytes.subarray(start, start + limits.http2PieceBytesMax));
      this.#unsentBytes += piece.length;
      this.raw.write(piece, () => this.#onSent(piece.length));
      start += piece.length;
    }
    this.#checkWritable();
  }

  #checkWritable(): void {
    if (this.#writing.is === "failed") throw this.#writing.error;
    if (this.#writing.is === "ended") throw new QuicError("CALL_FINISHED", "the stream was finished here");
  }

  #onSent(bytes: number): void {
    this.#unsentBytes -= bytes;
    for (const waiter of this.#roomWaiters.splice(0)) waiter.resolve();
  }

  #onPiece(piece: Uint8Array): void {
    if (this.#first !== undefined) this.#first.onPiece(piece);
    else if (this.#reading.is === "open") this.#keep(piece);
    else this.#ignore(piece);
  }

  #ignore(piece: Uint8Array): void {
    this.#ignoredBytes += piece.length;
    // From here on the peer must wait, and in the end it gets the reset.
    if (this.#ignoredBytes >= limits.http2IgnoredBytesMax) this.raw.pause();
  }

  /** For a reader that has stopped the end of what was cut off looks as good as any other. */
  #endAfterStop(): void {
    const hasBegun = this.#owner.side === "client" || ("headersSent" in this.raw && this.raw.headersSent === true);
    const isAlive = !this.raw.destroyed && !this.raw.closed && !this.raw.writableEnded;
    if (this.#isPeerStopped && hasBegun && isAlive) this.raw.end();
  }

  #keep(piece: Uint8Array): void {
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve(piece);
      return;
    }
    this.#pieces.push(piece);
    this.#unreadBytes += piece.length;
    if (this.#unreadBytes >= limits.http2UnreadBytesMax) this.raw.pause();
  }

  #onEnd(): void {
    // NO_ERROR looks like an end; from a client that has not finished it is a reset. A server may say it after its end.
    if (this.#owner.side === "server" && this.raw.aborted) return;
    // Nor has a peer ended a stream that was cut off by the end of its TCP connection.
    if ((this.raw.rstCode ?? 0) !== constants.NGHTTP2_NO_ERROR) return;
    this.#hasRemoteEnd = true;
    if (this.#first === undefined) this.#endReading(ended);
    else this.#first.onEnd();
  }

  #onWantTrailers(): void {
    const isEnded = this.#writing.is === "ended" || this.#isPeerStopped;
    if (!isEnded || this.raw.closed || this.raw.destroyed) return;
    // Without a single header this is an empty DATA frame with the end of the stream.
    this.raw.sendTrailers({});
    this.#onFlushed();
  }

  #onFlushed(): void {
    this.#isFlushed = this.#writing.is === "ended" || this.#isPeerStopped;
    this.#left();
    if (this.#isFlushed && this.#stopCode !== undefined) this.#resetStopped();
  }

  #left(): void {
    this.#onLeft?.();
    this.#onLeft = undefined;
  }

  #resetStopped(): void {
    if (this.#hasRemoteEnd) return;
    if (this.raw.isPaused()) this.raw.resume();
    const isWholeAnswer = this.#stopCode === 0 && this.#owner.side === "server";
    this.#close(isWholeAnswer ? constants.NGHTTP2_NO_ERROR : wireCode(this.#stopCode ?? 0));
  }

  #close(wire: number): void {
    this.#owner.pace(() => {
      if (!this.raw.closed && !this.raw.destroyed) this.raw.close(wire);
    });
  }

  /** The peer has given up the direction in which we write. */
  #onAborted(): void {
    this.#endWriting({ is: "failed", error: this.#lostError() });
    this.onStopped?.();
  }

  #onClosed(): void {
    this.#isClosed = true;
    this.#left();
    const isCutOff = this.#reading.is === "open" || this.#writing.is === "open";
    if (isCutOff) this.#cutOff(this.#lostError());
    this.onStopped?.();
  }

  #cutOff(error: QuicError): void {
    this.#endWriting({ is: "failed", error });
    if (this.#first !== undefined && !this.#hasRemoteEnd) this.#first.onFailed(error);
    this.#endReading({ is: "failed", error });
  }

  #lostError(): QuicError {
    const { endError } = this.#owner;
    if (endError !== undefined) return endError;
    return resetError(resetCodeOf(this.raw.rstCode ?? 0));
  }

  #endReading(how: Side): void {
    if (this.#reading.is !== "open") return;
    this.#reading = how;
    for (const reader of this.#readers.splice(0)) {
      if (how.is === "failed") reader.reject(how.error);
      else reader.resolve(undefined);
    }
  }

  #endWriting(how: Side & { readonly is: "failed" }): void {
    if (this.#writing.is !== "open") return;
    this.#writing = how;
    for (const waiter of this.#roomWaiters.splice(0)) waiter.reject(how.error);
  }
}

function resetError(code: number): QuicError {
  return new QuicError("STREAM_RESET", `stream reset by peer: error ${code}`, { resetCode: BigInt(code) });
}
