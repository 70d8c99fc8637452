import type { Message } from "@bufbuild/protobuf";
import { encodeError, encodeResponse, type ResponseMessage } from "../envelopes.ts";
import { isProtocolError } from "../errors.ts";
import { encodeFrame, frameType } from "../frames.ts";
import type { Answer, RequestMessage } from "../protocols/calls.ts";
import type { Protocol, RequestEnvelope, RequestOf, ResponseEnvelope } from "../protocols/protocol.ts";
import type { TransportStream } from "../transport/port.ts";
import type { ServerCall } from "./call.ts";
import type { ServerConnection } from "./connection.ts";

/** What a handler knows beside its request. */
export class ServeContext<Request extends RequestEnvelope, Response extends ResponseEnvelope> {
  readonly #call: ServerCall<Request, Response>;
  #signal: AbortSignal | undefined;
  #stream: TransportStream | undefined;

  /** For `serve`. */
  constructor(call: ServerCall<Request, Response>) {
    this.#call = call;
  }

  get connection(): ServerConnection<Request, Response> {
    return this.#call.connection;
  }

  /** Aborted when the client gives the call up or goes. Watching costs a little, so only calls that wait should ask. */
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const controller = new AbortController();
      this.#signal = controller.signal;
      this.#call.onAborted = () => controller.abort();
    }
    return this.#signal;
  }

  /** The raw bytes after the request. What the handler returns is still the answer, written after what it wrote. */
  stream(): TransportStream {
    this.#stream ??= this.#call.stream();
    return this.#stream;
  }

  /** For `serve`: the stream, if the handler has asked for it. */
  get streamTaken(): TransportStream | undefined {
    return this.#stream;
  }
}

/** What a handler of one request returns; calls that are answered with the end of the stream may return anything. */
type Answered<M> = M extends RequestMessage ? (Answer<M> extends undefined ? unknown : Answer<M>) : never;
type ValueOf<Request extends RequestEnvelope, Case> = Extract<RequestOf<Request>, { case: Case }>["value"];

/** A handler for every call of a protocol; one that is missing, or returns another call's answer, does not compile. */
export type Service<Request extends RequestEnvelope, Response extends ResponseEnvelope> = {
  readonly [Case in RequestOf<Request>["case"]]: (
    request: ValueOf<Request, Case>,
    context: ServeContext<Request, Response>,
  ) => Answered<ValueOf<Request, Case>> | Promise<Answered<ValueOf<Request, Case>>>;
};

export interface ServeOptions {
  /** Every error a handler throws, after it was answered; `operation` is the call's name. */
  readonly onError?: (error: unknown, operation: string) => void;
}

/** What `QuicServer.listen` needs of a service. */
export interface Served<Request extends RequestEnvelope, Response extends ResponseEnvelope> {
  readonly protocol: Protocol<Request, Response>;
  readonly onCall: (call: ServerCall<Request, Response>) => void;
}

/**
 * Handlers by call, for `QuicServer.listen({ ...serve(instanceProtocol, { registerInstance(request, context) {…}, … }) })`.
 * A handler returns its answer or a promise of it; no promise is made for those that return at once. What it throws becomes
 * an RpcError with the operation's code (CHECKPOINT_ERROR, GET_INSTANCE_STATUS_ERROR, …, spec 2.2) and the error's text, or
 * with the `rpcCode` of a ProtocolError with code RPC; calls without an answer get the end of the stream. Bytes in a
 * request are views of the received batch.
 */
export function serve<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  protocol: Protocol<Request, Response>,
  service: Service<Request, Response>,
  options: ServeOptions = {},
): Served<Request, Response> {
  type Handler = (value: Message, context: ServeContext<Request, Response>) => unknown;
  const handlers = service as Readonly<Record<string, Handler>>;

  const answer = (call: ServerCall<Request, Response>, stream: TransportStream | undefined, message: unknown): void => {
    const isAnswered = protocol.answers[call.request.case] !== undefined;
    const response = isAnswered ? (message as ResponseMessage<Response>) : undefined;
    if (stream) endStream(stream, response && encodeResponse(protocol, response));
    else if (response === undefined) call.finish();
    else call.respond(response);
  };
  const fail = (call: ServerCall<Request, Response>, stream: TransportStream | undefined, error: unknown): void => {
    const operation = call.request.case;
    const code = errorCode(error, operation);
    const text = error instanceof Error ? error.message : String(error);
    const isAnswered = protocol.answers[operation] !== undefined;
    if (stream) endStream(stream, isAnswered ? encodeError(protocol, code, text) : undefined);
    else if (isAnswered) call.respondError(code, text);
    else call.finish();
    options.onError?.(error, operation);
  };
  const attempt = (
    call: ServerCall<Request, Response>,
    context: ServeContext<Request, Response>,
    message: unknown,
  ): void => {
    try {
      answer(call, context.streamTaken, message);
    } catch (error) {
      fail(call, context.streamTaken, error);
    }
  };

  return {
    protocol,
    onCall(call) {
      const context = new ServeContext(call);
      let result: unknown;
      try {
        result = handlers[call.request.case]?.(call.request.value, context);
      } catch (error) {
        fail(call, context.streamTaken, error);
        return;
      }
      if (!(result instanceof Promise)) {
        attempt(call, context, result);
        return;
      }
      result.then(
        (message) => attempt(call, context, message),
        (error: unknown) => fail(call, context.streamTaken, error),
      );
    },
  };
}

/** `getInstanceStatus` → GET_INSTANCE_STATUS_ERROR: the outer code names the operation, whatever the cause. */
function errorCode(error: unknown, operation: string): string {
  if (isProtocolError(error) && error.code === "RPC" && error.rpcCode !== undefined) return error.rpcCode;
  return `${operation.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}_ERROR`;
}

/** The last frame, if there is one, and the end of a stream. A client that has gone is nobody's fault. */
function endStream(stream: TransportStream, payload: Uint8Array | undefined): void {
  const written = payload ? stream.write(encodeFrame(frameType.response, payload)) : Promise.resolve();
  written.then(() => stream.finish()).catch(() => {});
  stream.stop(0);
}
