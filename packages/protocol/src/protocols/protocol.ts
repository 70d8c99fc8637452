import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { extensionArms, type FeatureName } from "../features.ts";

/** A oneof as protobuf-es shows it. */
type Oneof =
  | { readonly case: string; readonly value: Message }
  | { readonly case: undefined; readonly value?: undefined };

/** The request envelope of a protocol. */
export type RequestEnvelope = Message & { request: Oneof };
/** The response envelope of a protocol. */
export type ResponseEnvelope = Message & { response: Oneof };

/** One call as it arrives: the member of the request oneof that is set. */
export type RequestOf<Request extends RequestEnvelope> = Extract<Request["request"], { case: string }>;
/** One answer: the member of the response oneof that is set, errors included. */
export type ResponseOf<Response extends ResponseEnvelope> = Extract<Response["response"], { case: string }>;

/** Which member of the response answers which member of the request; undefined = the end of the stream alone. */
export type Answers<Request extends RequestEnvelope, Response extends ResponseEnvelope> = {
  readonly [Case in RequestOf<Request>["case"]]: Exclude<ResponseOf<Response>["case"], "error"> | undefined;
};

/** One of the three protocols: its envelopes, and which answer belongs to which request. */
export interface Protocol<
  Request extends RequestEnvelope = RequestEnvelope,
  Response extends ResponseEnvelope = ResponseEnvelope,
> {
  readonly name: string;
  readonly requestSchema: GenMessage<Request>;
  readonly responseSchema: GenMessage<Response>;
  readonly answers: Readonly<Record<string, string | undefined>>;
  /** Requests that the server may answer late on purpose; they get no deadline by default. */
  readonly waiting: readonly string[];
  /** Requests with raw bytes after their frame. */
  readonly streamed: readonly string[];
  /** Requests that may be carried out twice without harm, so that a client may repeat them. */
  readonly idempotent: readonly string[];
  /** Name of the member of the request oneof, by the full name of its message. */
  readonly requestCases: ReadonlyMap<string, string>;
  /** Likewise for responses. */
  readonly responseCases: ReadonlyMap<string, string>;
  /** Requests with numbers 100 to 199, and the feature that each belongs to; all others are those of 1.4.1. */
  readonly extensions: ReadonlyMap<string, FeatureName>;
}

export function defineProtocol<Request extends RequestEnvelope, Response extends ResponseEnvelope>(protocol: {
  name: string;
  requestSchema: GenMessage<Request>;
  responseSchema: GenMessage<Response>;
  answers: Answers<Request, Response>;
  waiting: readonly RequestOf<Request>["case"][];
  streamed?: readonly RequestOf<Request>["case"][];
  idempotent: readonly RequestOf<Request>["case"][];
}): Protocol<Request, Response> {
  return {
    streamed: [],
    ...protocol,
    extensions: extensionArms(protocol.name),
    requestCases: casesByMessage(protocol.requestSchema),
    responseCases: casesByMessage(protocol.responseSchema),
  };
}

function casesByMessage(envelope: DescMessage): Map<string, string> {
  const cases = new Map<string, string>();
  for (const field of envelope.fields) {
    if (field.oneof && field.fieldKind === "message") cases.set(field.message.typeName, field.localName);
  }
  return cases;
}
