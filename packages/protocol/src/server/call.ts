import { encodeError, encodeResponse, type ResponseMessage } from "../envelopes.ts";
import { type ErrorDetails, ProtocolError } from "../errors.ts";
import { encodeFrame, frameSizeText, frameType } from "../frames.ts";
import type * as instance from "../gen/runtara/instance/instance_pb.ts";
import { limits } from "../limits.ts";
import type { RequestEnvelope, RequestOf, ResponseEnvelope } from "../protocols/protocol.ts";
import type { TransportCall, TransportStream } from "../transport/port.ts";
import type { CallDesk } from "./call-desk.ts";
import type { CallKind } from "./call-kinds.ts";
import type { ServerConnection } from "./connection.ts";
import type { Deadline, Expiring } from "./deadline-list.ts";
import { endStream } from "./end-stream.ts";
import type { CallOutcome } from "./handlers.ts";
import { isHeard } from "./heard.ts";
import { taskNow } from "./task-clock.ts";
import { WatchedStream } from "./watched-stream.ts";

/**
 * One request that waits for its answer. Answer it at once or any time later with exactly one of `respond`,
 * `respondError`, `fail` and `finish`; the first one counts, later ones are ignored, and so are answers to a client that has
 * gone. Until then it counts as an open call, also if its client has gone.
 */
export class ServerCall<
  Request extends RequestEnvelope = instance.RpcRequest,
  Response extends ResponseEnvelope = instance.RpcResponse,
> implements Expiring
{
  readonly connection: ServerConnection<Request, Response>;
  /** What is asked: `case` names the call, `value` is its message. Its bytes are views of the received frame. */
  readonly request: RequestOf<Request>;
  /** For QuicServer. */
  readonly kind: CallKind;
  readonly #desk: CallDesk<Request, Response>;
  readonly #incoming: TransportCall;
  readonly #deadline: Deadline | undefined;
  #heldBytes: number;
  readonly #arrivedMs: number;
  #isAnswered = false;
  /** The first one counts. */
  #outcome: CallOutcome | undefined;
  #isOver = false;
  /** Among those that end with the connection. */
  #isHeld: boolean;
  #abortedBy: ProtocolError | undefined;
  #onAborted: ((why: ProtocolError) => void) | undefined;

  /** For QuicServer. */
  constructor(
    desk: CallDesk<Request, Response>,
    kind: CallKind,
    connection: ServerConnection<Request, Response>,
    incoming: TransportCall,
    request: RequestOf<Request>,
  ) {
    this.#desk = desk;
    this.kind = kind;
    this.connection = connection;
    this.#incoming = incoming;
    this.request = request;
    this.#heldBytes = incoming.payload.length;
    this.#arrivedMs = desk.onCallEnded === undefined ? 0 : taskNow();
    desk.admission.enter(connection, this.#heldBytes);
    this.#isHeld = kind.waits;
    if (kind.waits) connection.held.add(this);
    else this.#deadline = desk.deadlines.add(this);
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /**
   * Nobody waits for the answer: the connection is gone, the deadline has passed, a drain has cut the call or, if
   * `onAborted` is set, the client has given it up.
   */
  get isAborted(): boolean {
    return this.#abortedBy !== undefined || this.#incoming.isAborted;
  }

  /** Whether the client reads an error: the call has an answer or carries an epoch. Otherwise it looks at the end alone. */
  get isHeard(): boolean {
    return isHeard(this.kind, this.request.value);
  }

  /** When a call that has not been answered will get DEADLINE_EXCEEDED; undefined = never. */
  get deadline(): Date | undefined {
    if (this.#deadline === undefined) return undefined;
    return new Date(performance.timeOrigin + this.#deadline.atMs);
  }

  /** Aborted when the server begins to drain: a call that waits on purpose should be answered at once then. */
  get draining(): AbortSignal {
    return this.#desk.draining.signal;
  }

  /**
   * Told once when nobody waits for the answer any more (see `isAborted`), with the reason: code CALL_ABORTED,
   * CALL_TIMEOUT or ENDPOINT_CLOSED. Costs a task in the addon, so it is for calls that wait long. The call must still
   * be answered or finished, except those that wait on purpose: they have ended then.
   */
  set onAborted(listener: (why: ProtocolError) => void) {
    this.#onAborted = listener;
    if (this.#abortedBy !== undefined) listener(this.#abortedBy);
    else this.#incoming.onAborted = () => this.abandon();
  }

  /**
   * Answers with a response message of the protocol. One of over 64 MiB cannot be sent: the client gets the end of the
   * stream alone (spec 1.8).
   *
   * @throws ProtocolError MESSAGE_UNKNOWN or ENCODE_FAILED; the call is still open then.
   */
  respond(message: ResponseMessage<Response>): void {
    if (!this.#isAnswered) this.#send(encodeResponse(this.#desk.protocol, message), "ok");
  }

  /** Answers with an RpcError. Clients that know the details may act on them, above all on `retryable`. */
  respondError(code: string, message: string, details?: ErrorDetails): void {
    if (!this.#isAnswered) this.#send(encodeError(this.#desk.protocol, code, message, details), "error");
  }

  /**
   * Says that the call was not, or not wholly, carried out, in the way that its client notices: an RpcError if the call
   * has an answer or carries an epoch; otherwise the stream is reset with code 2, because its end would be taken for the
   * acknowledgement. Clients of 1.4.1 look at neither.
   */
  fail(code: string, message: string, details?: ErrorDetails): void {
    if (this.#isAnswered) return;
    if (this.isHeard) this.respondError(code, message, details);
    else this.#undo();
  }

  /** Answers with the end of the stream alone: for calls without an answer, that they were carried out. */
  finish(): void {
    if (this.#isAnswered) return;
    this.#end();
    this.#incoming.finish();
  }

  /**
   * Takes the stream over: raw bytes after the request frame, and writing. The answer must then be written as a frame,
   * `encodeFrame(frameType.response, encodeResponse(protocol, message))`. The call is open until both directions have
   * ended. There is no request deadline any more; a read or write that is pending for `progressTimeoutMs` fails with
   * CALL_TIMEOUT.
   */
  stream(): TransportStream {
    const stream = this.#incoming.stream();
    this.#isAnswered = true;
    if (this.#deadline !== undefined) this.#desk.deadlines.remove(this.#deadline);
    if (this.connection.isOpen) this.#hold();
    // The end of the connection, which would end it, is past; reading and writing fail.
    else this.#leave();
    return new WatchedStream(
      stream,
      this.#desk.streamSteps,
      () => this.#leave(),
      (message) => this.#desk.fault("streamStalled", this, message),
    );
  }

  /** For QuicServer: the deadline has passed. */
  expire(): void {
    const { operation, isIdempotent } = this.kind;
    const text = `${operation} was not answered within ${this.#desk.deadlines.lengthMs} ms (requestTimeoutMs)`;
    this.#desk.fault("deadlineExceeded", this, text);
    const details: ErrorDetails = { fineCode: "DEADLINE_EXCEEDED", retryable: isIdempotent };
    this.fail(this.kind.errorCode, `${text}; it may still be done`, details);
    this.#abort(new ProtocolError("CALL_TIMEOUT", text));
  }

  /**
   * For QuicServer: a drain ends what waits on purpose; a stream that was taken over may go on. A client without extensions
   * must not take that for an answer.
   */
  cut(details: ErrorDetails): void {
    if (this.#isAnswered) return;
    if (this.connection.knowsExtensions) this.fail(this.kind.errorCode, "the server is shutting down", details);
    else this.#undo();
    this.#abort(new ProtocolError("ENDPOINT_CLOSED", "the server is shutting down"));
  }

  /** For QuicServer: the client has given the call up, or its connection has gone. */
  abandon(): void {
    this.#abort(new ProtocolError("CALL_ABORTED", "the client has given the call up"));
    this.#outcome ??= "aborted";
    // Nothing else would ever end it.
    if (this.kind.waits) this.finish();
    if (this.#isHeld && !this.connection.isOpen) this.#leave();
  }

  /** For ServerConnection: it was waiting to be iterated, and nobody will. */
  drop(): void {
    const message = "the server has stopped taking the calls of this connection";
    this.fail(this.kind.errorCode, message, { fineCode: "INTERNAL", retryable: true });
  }

  #undo(): void {
    this.#outcome ??= "undone";
    this.#end();
    this.#incoming.reset(limits.undoneCallCode);
  }

  #abort(why: ProtocolError): void {
    if (this.#abortedBy !== undefined) return;
    this.#abortedBy = why;
    this.#onAborted?.(why);
  }

  #send(payload: Uint8Array, outcome: CallOutcome): void {
    this.#outcome ??= outcome;
    const { length } = payload;
    if (length > this.#desk.frameBytesMax && length <= limits.framePayloadBytesMax) {
      // The transport holds our own answers to the limit for requests.
      endStream(this.stream(), encodeFrame(frameType.response, payload));
      return;
    }
    this.#end();
    if (length <= limits.framePayloadBytesMax) {
      this.#incoming.respond(frameType.response, payload);
      return;
    }
    this.#incoming.finish();
    const message = `the answer to ${this.kind.operation} was not sent: ${frameSizeText(length)}`;
    this.#desk.fault("responseTooLarge", this, message);
  }

  /** A raw stream ends with the connection, if not before, and counts what it may keep unread. */
  #hold(): void {
    this.#isHeld = true;
    this.connection.held.add(this);
    this.#heldBytes += limits.streamUnreadBytesMax;
    this.#desk.admission.charge(this.connection, limits.streamUnreadBytesMax);
  }

  /** Answered, or as good as. */
  #end(): void {
    this.#isAnswered = true;
    if (this.#deadline !== undefined) this.#desk.deadlines.remove(this.#deadline);
    this.#leave();
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#isHeld) this.connection.held.delete(this);
    this.#desk.leave(this, this.#heldBytes);
    this.#desk.onCallEnded?.(this.kind.operation, this.#outcome ?? "ok", performance.now() - this.#arrivedMs);
  }
}
