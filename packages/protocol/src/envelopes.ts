import type { Message } from "@bufbuild/protobuf";
import { type ErrorDetails, ProtocolError } from "./errors.ts";
import { type CallShape, callShape } from "./protocols/calls.ts";
import type { Protocol, RequestEnvelope, ResponseEnvelope, ResponseOf } from "./protocols/protocol.ts";
import { decodeMessage } from "./wire/decode.ts";
import { encodeMessage } from "./wire/encode.ts";

/** A response message of a protocol, without the error. */
export type ResponseMessage<Response extends ResponseEnvelope> = Exclude<
  ResponseOf<Response>,
  { readonly case: "error" }
>["value"];

/**
 * `message` in the request envelope of its protocol: the payload of a request frame.
 *
 * @throws ProtocolError MESSAGE_UNKNOWN or ENCODE_FAILED.
 */
export function encodeRequest(message: Message): Uint8Array {
  const { protocol, request } = callShape(message);
  return encodeMessage(protocol.requestSchema, {
    $typeName: protocol.requestSchema.typeName,
    request: { case: request, value: message },
  });
}

/**
 * `message` in the response envelope of `protocol`: the payload of a response frame.
 *
 * @throws ProtocolError MESSAGE_UNKNOWN or ENCODE_FAILED.
 */
export function encodeResponse<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  protocol: Protocol<Request, Response>,
  message: ResponseMessage<Response>,
): Uint8Array {
  const answer = protocol.responseCases.get(message.$typeName);
  if (answer === undefined) {
    const text = `${message.$typeName} is not a response of the ${protocol.name} protocol`;
    throw new ProtocolError("MESSAGE_UNKNOWN", text);
  }
  return encodeAnswer(protocol, answer, message);
}

/** An RpcError in the response envelope of `protocol`. 1.4.1 peers skip the details. */
export function encodeError<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  protocol: Protocol<Request, Response>,
  code: string,
  message: string,
  details?: ErrorDetails,
): Uint8Array {
  const { fineCode, retryable } = details ?? {};
  const retryAfterMs = uint32(details?.retryAfterMs);
  const value = { $typeName: `runtara.${protocol.name}.RpcError`, code, message, fineCode, retryable, retryAfterMs };
  return encodeAnswer(protocol, "error", value);
}

/** The nearest number that the field can hold: a bad hint must not cost the client the error itself. */
function uint32(value: number | undefined): number | undefined {
  return value === undefined || Number.isNaN(value) ? undefined : Math.min(Math.max(0, Math.ceil(value)), 0xffff_ffff);
}

/** The schemas check at run time what the types cannot say about a protocol in general. */
function encodeAnswer(protocol: Pick<Protocol, "responseSchema">, answer: string, value: Message): Uint8Array {
  const { responseSchema } = protocol;
  return encodeMessage(responseSchema, {
    $typeName: responseSchema.typeName,
    response: { case: answer, value },
  });
}

/**
 * The answer in the payload of a response frame, whatever the frame's type (spec 1.7). Undefined for a call that is
 * answered with the end of the stream alone; a server that sends an error instead is heard.
 *
 * @throws ProtocolError RPC with the server's code and text, RESPONSE_UNEXPECTED or DECODE_FAILED.
 */
export function decodeResponse(request: Message, payload: Uint8Array): Message | undefined {
  const shape = callShape(request);
  return readAnswer(shape, decodeMessage(shape.protocol.responseSchema, payload).response);
}

/**
 * For `decodeResponse`, and for answers inside answers.
 *
 * @throws ProtocolError RPC or RESPONSE_UNEXPECTED.
 */
export function readAnswer(shape: CallShape, response: ResponseEnvelope["response"]): Message | undefined {
  if (response.case === "error") throw rpcError(response.value);
  if (shape.response === undefined) return undefined;
  if (response.case === shape.response) return response.value;
  const got = response.case === undefined ? "no known answer" : `"${response.case}"`;
  throw new ProtocolError("RESPONSE_UNEXPECTED", `expected "${shape.response}" as the answer, got ${got}`);
}

function rpcError(value: Message): ProtocolError {
  const { code, message, fineCode, retryable, retryAfterMs } = value as Message & RpcError;
  return new ProtocolError("RPC", message, { rpcCode: code, fineCode, isRetryable: retryable, retryAfterMs });
}

/** What the RpcError of all three protocols has. */
type RpcError = { readonly code: string; readonly message: string; readonly fineCode?: string } & Omit<
  ErrorDetails,
  "fineCode"
>;
