import { type CallFault, QuicError } from "@runtara/quic";
import { checkFrame, type FrameBounds, type FrameRead } from "../frame-bounds.ts";
import type { TransportCall, TransportPeer, TransportStream } from "../port.ts";
import { writeFrame } from "./connection.ts";
import { deliver } from "./pipe.ts";
import type { MemoryStream } from "./stream.ts";

const noBytes = new Uint8Array(0);

/** A client's stream as the server's handler gets it. */
export class MemoryCall implements TransportCall {
  readonly connection: TransportPeer;
  readonly fault: CallFault | undefined;
  readonly faultDetail: number;
  readonly type: number;
  readonly payload: Uint8Array;
  readonly #stream: MemoryStream;
  readonly #bounds: FrameBounds;
  readonly #onEnd: (call: MemoryCall) => void;
  #isEnded = false;
  #isAborted = false;
  #onAborted: (() => void) | undefined;

  constructor(
    connection: TransportPeer,
    read: FrameRead,
    stream: MemoryStream,
    bounds: FrameBounds,
    onEnd: (call: MemoryCall) => void,
  ) {
    this.connection = connection;
    this.fault = read.fault;
    this.faultDetail = read.fault === undefined ? 0 : read.detail;
    this.type = read.fault === undefined ? read.type : 0;
    this.payload = read.fault === undefined ? read.payload : noBytes;
    this.#stream = stream;
    this.#bounds = bounds;
    this.#onEnd = onEnd;
  }

  respond(type: number, payload: Uint8Array): void {
    checkFrame(this.#bounds, type, payload);
    this.#end();
    writeFrame(this.#stream, type, payload);
    this.#stream.stop(0);
  }

  finish(): void {
    this.#end();
    this.#stream.finish().catch(() => {});
    this.#stream.stop(0);
  }

  reset(code: number): void {
    this.#end();
    this.#stream.reset(code);
    this.#stream.stop(code);
  }

  stream(): TransportStream {
    this.#end();
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
    const { outgoing } = this.#stream;
    outgoing.onStopped = () => this.abort();
    // The client may have stopped before anybody listened.
    if (outgoing.isStopped || !this.connection.isOpen) deliver(() => this.abort());
  }

  /** The client, or the connection, has gone. */
  abort(): void {
    if (this.#isAborted || this.#isEnded || this.#onAborted === undefined) return;
    this.#isAborted = true;
    this.#onAborted();
  }

  #end(): void {
    if (this.#isEnded) throw new QuicError("CALL_FINISHED", "the call has been answered or ended already");
    this.#isEnded = true;
    this.#stream.outgoing.onStopped = undefined;
    this.#onEnd(this);
  }
}
