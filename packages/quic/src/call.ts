import { type CallFault, QuicError } from "./errors.ts";
import { operation } from "./native.ts";
import { checkFrame, codeWords, type FrameOptions } from "./options.ts";
import type { Outbox } from "./outbox.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { QuicStream } from "./stream.ts";

/** @internal What a call needs of its listener. */
export interface CallOwner {
  readonly outbox: Outbox;
  readonly frame: FrameOptions;
  watch(number: number, call: IncomingCall): void;
  unwatch(number: number): void;
  addStream(number: number, connection: ServerConnection): QuicStream;
}

const isOver = -1;

/**
 * A stream of the peer whose first frame has come, or failed to. End it with exactly one of `respond`, `finish`, `reset`
 * or `stream`; until then it keeps one of the peer's streams in use. All four are cheap: they are buffered and one native
 * call hands over the answers of a whole tick. If the peer or the connection has gone, they do nothing.
 */
export class IncomingCall {
  readonly connection: ServerConnection;
  /** Why there is no frame, or undefined if there is one. */
  readonly fault: CallFault | undefined;
  /** The bad type or length, the bytes that came before the end or the stall, or the reset code. */
  readonly faultDetail: number;
  /** The frame's type; 0 with a fault. */
  readonly type: number;
  /** The frame's payload, empty with a fault. Yours for as long as you like; it is a view of a slab of up to a drain's size. */
  readonly payload: Uint8Array;
  readonly #owner: CallOwner;
  #number: number;
  #isAborted = false;
  #onAborted: (() => void) | undefined;

  /** @internal */
  constructor(
    owner: CallOwner,
    number: number,
    connection: ServerConnection,
    type: number,
    payload: Uint8Array,
    fault: CallFault | undefined,
    faultDetail: number,
  ) {
    this.#owner = owner;
    this.#number = number;
    this.connection = connection;
    this.type = type;
    this.payload = payload;
    this.fault = fault;
    this.faultDetail = faultDetail;
  }

  /**
   * Sends one frame and ends the stream. Payloads above 64 KiB are read at the end of the tick; do not change them before.
   *
   * @throws QuicError CALL_FINISHED, FRAME_TYPE_INVALID, FRAME_TOO_LARGE; after the last two the call is still open
   */
  respond(type: number, payload: Uint8Array): void {
    checkFrame(this.#owner.frame, type, payload);
    const owner = this.#owner;
    owner.outbox.frame(operation.respond, this.#end(), type, payload);
  }

  /** Ends the stream without a byte. @throws QuicError CALL_FINISHED */
  finish(): void {
    this.#owner.outbox.plain(operation.finish, this.#end());
  }

  /** Resets the stream both ways with this code. @throws QuicError CALL_FINISHED */
  reset(code: number): void {
    const [low, high] = codeWords(code);
    this.#owner.outbox.plain(operation.reset, this.#end(), low, high);
  }

  /** Goes on with the raw bytes behind the frame. @throws QuicError CALL_FINISHED */
  stream(): QuicStream {
    const number = this.#end();
    this.#owner.outbox.plain(operation.upgrade, number);
    return this.#owner.addStream(number, this.connection);
  }

  /** Whether the connection has gone or, if `onAborted` is set, the peer no longer wants an answer. */
  get isAborted(): boolean {
    return this.#isAborted || !this.connection.isOpen;
  }

  get onAborted(): (() => void) | undefined {
    return this.#onAborted;
  }

  /**
   * Called once if the peer stops waiting for the answer or the connection goes before the call is ended. The call must
   * still be ended. Peers that send without waiting for an answer stop at once. Costs a native task, so set it only on
   * calls that are kept waiting.
   */
  set onAborted(listener: (() => void) | undefined) {
    this.#onAborted = listener;
    if (listener !== undefined && this.#number !== isOver) this.#owner.watch(this.#number, this);
  }

  /** @internal */
  abort(): void {
    if (this.#isAborted || this.#number === isOver) return;
    this.#isAborted = true;
    this.#onAborted?.();
  }

  #end(): number {
    const number = this.#number;
    if (number === isOver) throw new QuicError("CALL_FINISHED", "the call has been answered or ended already");
    this.#number = isOver;
    if (this.#onAborted !== undefined) this.#owner.unwatch(number);
    return number;
  }
}
