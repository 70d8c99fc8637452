import { encodeError, encodeResponse, type ResponseMessage } from "../envelopes.ts";
import { frameSizeText, frameType } from "../frames.ts";
import type * as instance from "../gen/runtara/instance/instance_pb.ts";
import { limits } from "../limits.ts";
import type { Protocol, RequestEnvelope, RequestOf, ResponseEnvelope } from "../protocols/protocol.ts";
import type { TransportCall, TransportStream } from "../transport/port.ts";
import type { ServerConnection } from "./connection.ts";
import type { ServerFault } from "./faults.ts";

/** What all calls of a server share. */
export interface CallContext<Request extends RequestEnvelope, Response extends ResponseEnvelope> {
  readonly protocol: Protocol<Request, Response>;
  readonly onFault: (fault: ServerFault) => void;
}

/**
 * One request that waits for its answer. Answer it at once or any time later with exactly one of `respond`,
 * `respondError` and `finish`; the first one counts, later ones are ignored, and so are answers to a client that has
 * gone.
 */
export class ServerCall<
  Request extends RequestEnvelope = instance.RpcRequest,
  Response extends ResponseEnvelope = instance.RpcResponse,
> {
  readonly connection: ServerConnection<Request, Response>;
  /** What is asked: `case` names the call, `value` is its message. Its bytes are views of the received frame. */
  readonly request: RequestOf<Request>;
  readonly #context: CallContext<Request, Response>;
  readonly #incoming: TransportCall;
  #isAnswered = false;

  /** For QuicServer. */
  constructor(
    context: CallContext<Request, Response>,
    connection: ServerConnection<Request, Response>,
    incoming: TransportCall,
    request: RequestOf<Request>,
  ) {
    this.#context = context;
    this.connection = connection;
    this.#incoming = incoming;
    this.request = request;
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** The connection is gone, or the client has given the call up; the latter only if `onAborted` is set. */
  get isAborted(): boolean {
    return this.#incoming.isAborted;
  }

  /**
   * Told once if the client gives the call up or goes before the answer. Costs a task in the addon, so it is for calls
   * that wait long. The call must still be answered or finished.
   */
  set onAborted(listener: () => void) {
    this.#incoming.onAborted = listener;
  }

  /**
   * Answers with a response message of the protocol. One of over 64 MiB cannot be sent: the client gets the end of the
   * stream alone (spec 1.8).
   *
   * @throws ProtocolError MESSAGE_UNKNOWN or ENCODE_FAILED; the call is still open then.
   */
  respond(message: ResponseMessage<Response>): void {
    if (!this.#isAnswered) this.#send(encodeResponse(this.#context.protocol, message));
  }

  /** Answers with an RpcError. */
  respondError(code: string, message: string): void {
    if (!this.#isAnswered) this.#send(encodeError(this.#context.protocol, code, message));
  }

  /** Answers with the end of the stream alone. */
  finish(): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#incoming.finish();
  }

  /**
   * Takes the stream over: raw bytes after the request frame, and writing. The answer must then be written as a frame,
   * `encodeFrame(frameType.response, encodeResponse(protocol, message))`.
   */
  stream(): TransportStream {
    this.#isAnswered = true;
    return this.#incoming.stream();
  }

  #send(payload: Uint8Array): void {
    this.#isAnswered = true;
    if (payload.length <= limits.framePayloadBytesMax) {
      this.#incoming.respond(frameType.response, payload);
      return;
    }
    this.#incoming.finish();
    const message = `the answer to ${String(this.request.case)} was not sent: ${frameSizeText(payload.length)}`;
    this.#context.onFault({ kind: "responseTooLarge", message, remoteAddress: this.connection.remoteAddress });
  }
}
