import type { DescMessage, Message, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { decodeResponse, encodeRequest } from "../envelopes.ts";
import { ProtocolError } from "../errors.ts";
import { type Answer, callShape, type RequestMessage } from "../protocols/calls.ts";
import { type CallOptions, ClientConnection } from "./connection.ts";
import { unlessGivenUp } from "./unless-given-up.ts";

/** Where a request may be sent: a connection, or a client, which connects first if it must. */
export type RequestTarget = ClientConnection | { connect(): Promise<ClientConnection> };

/**
 * Sends one request and returns its answer. The message decides everything: the protocol, the envelope and the type of
 * the answer. Requests without an answer (event batch, signal ack, retry attempt) resolve when the server has ended the
 * stream, so that awaiting them is a flush. Nothing is retried. Aborting is safe; the server may have carried the call
 * out.
 *
 * @throws ProtocolError RPC (`rpcCode` and text are the server's), RESPONSE_UNEXPECTED, STREAM_ENDED (the server
 *   refused the frame, or does not answer this call), CALL_TIMEOUT, CALL_ABORTED, MESSAGE_UNKNOWN, ENCODE_FAILED,
 *   DECODE_FAILED, FRAME_TOO_LARGE, and the codes of the connection.
 */
export async function sendRequest<M extends RequestMessage>(
  target: RequestTarget,
  request: M,
  options: CallOptions = {},
): Promise<Answer<M>> {
  const payload = encodeRequest(request);
  const connection = await connected(target, options.signal);
  return (await exchange(connection, request, payload, options)) as Answer<M>;
}

/** For `sendRequest` and for tries of `callWithRetry`: one call on a connection that stands. */
export async function exchange(
  connection: ClientConnection,
  request: Message,
  payload: Uint8Array,
  options: CallOptions,
): Promise<Message | undefined> {
  const shape = callShape(request);
  const deadline = shape.waits && options.timeoutMs === undefined ? { ...options, timeoutMs: 0 } : options;
  if (shape.response !== undefined) return decodeResponse(request, await connection.call(payload, deadline));
  const flushed = acknowledged(connection, request, payload, deadline);
  connection.trackAcknowledgement(flushed);
  return await flushed;
}

/** The end of the stream is the acknowledgement; an answer can only be an error. */
async function acknowledged(
  connection: ClientConnection,
  request: Message,
  payload: Uint8Array,
  options: CallOptions,
): Promise<Message | undefined> {
  try {
    return decodeResponse(request, await connection.call(payload, options));
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "STREAM_ENDED") return undefined;
    throw error;
  }
}

/** The connection to use; a signal ends the waiting for it, not the connecting, which others may share. */
export function connected(target: RequestTarget, signal: AbortSignal | undefined): Promise<ClientConnection> {
  if (target instanceof ClientConnection) return Promise.resolve(target);
  return unlessGivenUp(() => target.connect(), { signal }, "connecting");
}

/** Schemas of request messages. */
export type RequestSchema<Schema extends DescMessage> = MessageShape<Schema> extends RequestMessage ? Schema : never;

/** `sendRequest` of a message that is made on the spot: `request(client, CheckpointRequestSchema, { instanceId, … })`. */
export function request<Schema extends DescMessage>(
  target: RequestTarget,
  schema: RequestSchema<Schema>,
  init: MessageInitShape<Schema>,
  options: CallOptions = {},
): Promise<Answer<MessageShape<Schema> & RequestMessage>> {
  return sendRequest(target, create(schema as Schema, init) as MessageShape<Schema> & RequestMessage, options);
}
