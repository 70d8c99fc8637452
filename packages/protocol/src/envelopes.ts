import type { Message } from "@bufbuild/protobuf";
import { ProtocolError } from "./errors.ts";
import { callShape } from "./protocols/calls.ts";
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

/** An RpcError in the response envelope of `protocol`. */
export function encodeError<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  protocol: Protocol<Request, Response>,
  code: string,
  message: string,
): Uint8Array {
  const value = { $typeName: `runtara.${protocol.name}.RpcError`, code, message };
  return encodeAnswer(protocol, "error", value);
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
  const { response } = decodeMessage(shape.protocol.responseSchema, payload);
  if (response.case === "error") throw rpcError(response.value);
  if (shape.response === undefined) return undefined;
  if (response.case === shape.response) return response.value;
  const got = response.case === undefined ? "no known answer" : `"${response.case}"`;
  throw new ProtocolError("RESPONSE_UNEXPECTED", `expected "${shape.response}" as the answer, got ${got}`);
}

function rpcError(value: Message): ProtocolError {
  const { code, message } = value as Message & { code: string; message: string };
  return new ProtocolError("RPC", message, { rpcCode: code });
}
