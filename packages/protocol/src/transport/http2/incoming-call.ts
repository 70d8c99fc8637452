import type { ServerHttp2Stream } from "node:http2";
import { type CallFault, QuicError } from "@runtara/quic";
import { encodeFrame } from "../../frames.ts";
import { limits } from "../../limits.ts";
import { checkFrame, type FrameRead } from "../frame-bounds.ts";
import type { TransportCall, TransportStream } from "../port.ts";
import { ByteStream, type FirstReader } from "./byte-stream.ts";
import { FrameReader } from "./frame-reader.ts";
import { answerHeaders, answerOptions } from "./headers.ts";
import type { Http2Peer } from "./peer.ts";

const noBytes = new Uint8Array(0);

/** A client's stream: first its frame is read, then the handler has it. */
export class Http2Call implements TransportCall, FirstReader {
  readonly connection: Http2Peer;
  fault: CallFault | undefined;
  faultDetail = 0;
  type = 0;
  payload: Uint8Array = noBytes;
  readonly raw: ServerHttp2Stream;
  readonly #stream: ByteStream;
  readonly #reader: FrameReader;
  #deadline: NodeJS.Timeout | undefined;
  /** Of the connection's budget. */
  #reservedBytes = 0;
  #grant: (() => void) | undefined;
  #isRead = false;
  #isEnded = false;
  #isAborted = false;
  #onAborted: (() => void) | undefined;

  constructor(connection: Http2Peer, raw: ServerHttp2Stream) {
    this.connection = connection;
    this.raw = raw;
    this.#reader = new FrameReader(connection.bounds);
    this.#stream = new ByteStream(raw, connection, this);
  }

  respond(type: number, payload: Uint8Array): void {
    checkFrame(this.connection.bounds, type, payload);
    this.#end();
    const frame = encodeFrame(type, payload);
    if (this.connection.admit(frame.length)) {
      this.#answer(frame);
    } else {
      this.#stream.reset(limits.http2UnreadCode);
      this.#stream.stop(limits.http2UnreadCode);
    }
  }

  finish(): void {
    this.#end();
    this.#answer(undefined);
  }

  reset(code: number): void {
    this.#end();
    this.#stream.reset(code);
    this.#stream.stop(code);
  }

  stream(): TransportStream {
    this.#end();
    this.#stream.endsByTrailers();
    if (this.#isAlive()) this.raw.respond(answerHeaders, { ...answerOptions, waitForTrailers: true });
    return this.#stream;
  }

  get isAborted(): boolean {
    return this.#isAborted || !this.connection.isOpen;
  }

  get onAborted(): (() => void) | undefined {
    return this.#onAborted;
  }

  set onAborted(listener: (() => void) | undefined) {
    this.#onAborted = listener;
    if (listener === undefined || this.#isEnded) return;
    this.#stream.onStopped = () => this.abort();
    // The client may have gone before anybody listened.
    if (this.#stream.isOver || this.raw.aborted || !this.connection.isOpen) setImmediate(() => this.abort());
  }

  /** The client does not read any more what is written on this stream. */
  onPeerStopped(code: number): void {
    this.#stream.onPeerStopped(code);
  }

  /** The client, or the connection, has gone. */
  abort(): void {
    if (this.#isAborted || this.#isEnded || this.#onAborted === undefined) return;
    this.#isAborted = true;
    this.#onAborted();
  }

  onPiece(piece: Uint8Array): void {
    const isSized = this.#reader.payloadBytes !== undefined;
    if (this.#reader.push(piece)) {
      this.#onRead();
      return;
    }
    this.#refreshDeadline();
    const { payloadBytes = 0 } = this.#reader;
    if (!isSized && payloadBytes > limits.http2SmallFrameBytes) this.#reserve(payloadBytes);
  }

  onEnd(): void {
    this.#reader.end();
    this.#onRead();
  }

  onFailed(error: QuicError): void {
    // Only a reset is the stream's own fault; with the connection gone nobody can be answered.
    if (error.code === "STREAM_RESET") this.#deliver({ fault: "STREAM_RESET", detail: Number(error.resetCode ?? 0n) });
    else this.dispose();
  }

  /** Nobody will be told of it: timers and room are given back. */
  dispose(): void {
    clearTimeout(this.#deadline);
    if (this.#grant !== undefined) this.connection.budget.withdraw(this.#grant);
    this.#grant = undefined;
    if (this.#reservedBytes > 0) this.connection.budget.release(this.#reservedBytes);
    this.#reservedBytes = 0;
  }

  #onRead(): void {
    const { read } = this.#reader;
    if (read !== undefined) this.#deliver(read);
  }

  #deliver(read: FrameRead): void {
    if (this.#isRead) return;
    this.#isRead = true;
    this.dispose();
    this.#stream.hand(this.#reader.rest);
    if (read.fault === undefined) {
      this.type = read.type;
      this.payload = read.payload;
    } else {
      this.fault = read.fault;
      this.faultDetail = read.detail;
    }
    this.connection.onRead(this);
  }

  /** A frame that has begun must go on. */
  #refreshDeadline(): void {
    const { readTimeoutMs } = this.connection.bounds;
    if (readTimeoutMs === 0) return;
    if (this.#deadline !== undefined) this.#deadline.refresh();
    else this.#deadline = setTimeout(() => this.#onLate(), readTimeoutMs).unref();
  }

  #onLate(): void {
    this.#deliver({ fault: this.#grant === undefined ? "FRAME_TIMEOUT" : "BUFFER_EXHAUSTED", detail: 0 });
  }

  /** Large frames wait until the connection's half-read ones leave room; what has come stays in the stream's window. */
  #reserve(bytes: number): void {
    const grant = (): void => {
      this.#grant = undefined;
      this.#reservedBytes = bytes;
      this.#deadline?.refresh();
      this.#stream.holdBack(false);
    };
    this.#grant = grant;
    this.#stream.holdBack(true);
    this.connection.budget.reserve(bytes, grant);
  }

  #answer(frame: Uint8Array | undefined): void {
    if (this.#isAlive()) this.raw.respond(answerHeaders, answerOptions);
    this.#stream.end(frame, frame && (() => this.connection.onAnswerLeft(frame.length)));
    this.#stream.stop(0);
  }

  #isAlive(): boolean {
    return !this.raw.destroyed && !this.raw.closed && !this.raw.headersSent;
  }

  #end(): void {
    if (this.#isEnded) throw new QuicError("CALL_FINISHED", "the call has been answered or ended already");
    this.#isEnded = true;
    this.#stream.onStopped = undefined;
    this.connection.onCallEnded(this);
  }
}
