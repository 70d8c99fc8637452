import { encodeError, encodeResponse, type ResponseMessage } from "../envelopes.ts";
import { type ErrorDetails, isProtocolError } from "../errors.ts";
import type { FeatureName } from "../features.ts";
import { isFineCode } from "../fine-codes.ts";
import { encodeFrame, frameType } from "../frames.ts";
import { limits } from "../limits.ts";
import type { Protocol, RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
import type { TransportStream } from "../transport/port.ts";
import type { ServerCall } from "./call.ts";
import { errorCode } from "./call-kinds.ts";
import { endStream } from "./end-stream.ts";
import { ServeContext } from "./serve-context.ts";
import { handlersOf, type Service, servedFeatures } from "./service.ts";
import { respondUnserved } from "./unserved.ts";

export interface ServeOptions {
  /** Every error a handler throws, after it was answered; `operation` is the call's name. */
  readonly onError?: (error: unknown, operation: string) => void;
}

/** What `QuicServer.listen` needs of a service. */
export interface Served<Request extends RequestEnvelope, Response extends ResponseEnvelope> {
  readonly protocol: Protocol<Request, Response>;
  readonly onCall: (call: ServerCall<Request, Response>) => void;
  /** The extensions that have handlers: what a registration or health answer announces, beside features without calls. */
  readonly features: readonly FeatureName[];
}

/**
 * Handlers by call, for `QuicServer.listen({ ...serve(instanceProtocol, { registerInstance(request, context) {…}, … }) })`.
 * A handler returns its answer or a promise of it; no promise is made for those that return at once. What it throws becomes
 * an RpcError with the operation's code (CHECKPOINT_ERROR, GET_INSTANCE_STATUS_ERROR, …, spec 2.2) and the error's text, or
 * with the `rpcCode` of a ProtocolError with code RPC; calls without an answer are reset, or get the error if they carry an
 * epoch. Extensions that have no handler are answered EMPTY_REQUEST with the fine code UNSUPPORTED. Bytes in a request are
 * views of the received batch.
 *
 * @throws ProtocolError OPTION_INVALID for a feature that is unknown or has only a part of its handlers.
 */
export function serve<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  protocol: Protocol<Request, Response>,
  service: Service<Request, Response>,
  options: ServeOptions = {},
): Served<Request, Response> {
  const handlers = handlersOf(protocol, service);

  const answer = (call: ServerCall<Request, Response>, stream: TransportStream | undefined, message: unknown): void => {
    const isAnswered = protocol.answers[call.request.case] !== undefined;
    const response = isAnswered ? (message as ResponseMessage<Response>) : undefined;
    if (stream) endStream(stream, response && responseFrame(encodeResponse(protocol, response)));
    else if (response === undefined) call.finish();
    else call.respond(response);
  };
  const fail = (call: ServerCall<Request, Response>, stream: TransportStream | undefined, error: unknown): void => {
    const operation = call.request.case;
    const code = errorCode(error, operation);
    const text = error instanceof Error ? error.message : String(error);
    const details = errorDetails(error);
    if (stream === undefined) call.fail(code, text, details);
    else if (call.isHeard) {
      endStream(stream, responseFrame(encodeError(protocol, code, text, details)));
    } else {
      stream.reset(limits.undoneCallCode);
      stream.stop(limits.undoneCallCode);
    }
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
    features: servedFeatures(service),
    onCall(call) {
      const handler = handlers.get(call.request.case);
      if (handler === undefined) {
        respondUnserved(call);
        return;
      }
      const context = new ServeContext(call);
      let result: unknown;
      try {
        result = handler(call.request.value, context);
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

/** What a handler says of its failure: by an RpcError of its own, or by a stream that has stalled. */
function errorDetails(error: unknown): ErrorDetails | undefined {
  if (error instanceof Error && error.name === "QuicError" && "code" in error && error.code === "CALL_TIMEOUT") {
    return { fineCode: "DEADLINE_EXCEEDED" };
  }
  if (!isProtocolError(error) || error.code !== "RPC") return undefined;
  const { fineCode, isRetryable, retryAfterMs } = error;
  return { fineCode: isFineCode(fineCode) ? fineCode : undefined, retryable: isRetryable, retryAfterMs };
}

function responseFrame(payload: Uint8Array): Uint8Array {
  return encodeFrame(frameType.response, payload);
}
