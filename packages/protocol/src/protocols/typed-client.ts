import type { DescMessage, Message, MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import type { RetryingCallOptions } from "../client/call-with-retry.ts";
import type { Answer, RequestMessage } from "./calls.ts";
import type { Protocol, RequestEnvelope, RequestOf, ResponseEnvelope } from "./protocol.ts";

/** What a typed client sends its requests with: a `QuicClient`, or anything else that has its `call`. */
export interface Caller {
  call<M extends RequestMessage>(message: M, options?: RetryingCallOptions): Promise<Answer<M>>;
}

type ValueOf<Request extends RequestEnvelope, Case> = Extract<RequestOf<Request>, { case: Case }>["value"];

/** One call: the fields of its request, those left out at their defaults; resolves to its answer. */
export type TypedCall<M extends Message> = (
  init: MessageInitShape<GenMessage<M>>,
  options?: RetryingCallOptions,
) => Promise<M extends RequestMessage ? Answer<M> : never>;

/** One method for every call of a protocol, extensions included. */
export type TypedClient<Request extends RequestEnvelope> = {
  readonly [Case in RequestOf<Request>["case"]]: TypedCall<ValueOf<Request, Case>>;
};

/**
 * A method for every request of `protocol`, named as its member of the envelope: `registerInstance(init, options?)`.
 * The methods repeat, wait and fail as `client.call` does. Those without an answer resolve to undefined when the server
 * has ended the stream, so that awaiting one is a flush. An extension that the server does not serve fails with code RPC,
 * `rpcCode` EMPTY_REQUEST. The methods need no `this`. Calls with raw bytes after the request are not among them.
 */
export function createTypedClient<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  protocol: Protocol<Request, Response>,
  client: Caller,
): TypedClient<Request> {
  const methods: Record<
    string,
    (init: MessageInitShape<DescMessage>, options?: RetryingCallOptions) => Promise<unknown>
  > = {};
  for (const { fieldKind, localName, message: schema } of protocol.requestSchema.fields) {
    if (fieldKind !== "message" || protocol.streamed.includes(localName)) continue;
    methods[localName] = (init, options) => client.call(create(schema, init) as RequestMessage, options);
  }
  // The envelope's schema and its type have the same members.
  return methods as unknown as TypedClient<Request>;
}
