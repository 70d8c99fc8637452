import type { Message } from "@bufbuild/protobuf";
import { type environmentAnswers, environmentProtocol } from "../environment/protocol.ts";
import { ProtocolError } from "../errors.ts";
import type * as environment from "../gen/runtara/environment/environment_pb.ts";
import type * as instance from "../gen/runtara/instance/instance_pb.ts";
import type * as management from "../gen/runtara/management/management_pb.ts";
import { type instanceAnswers, instanceProtocol } from "../instance/protocol.ts";
import { type managementAnswers, managementProtocol } from "../management/protocol.ts";
import type { Protocol, RequestEnvelope, RequestOf, ResponseEnvelope, ResponseOf } from "./protocol.ts";

type InstanceRequest = RequestOf<instance.RpcRequest>["value"];
type EnvironmentRequest = RequestOf<environment.RpcRequest>["value"];
type ManagementRequest = RequestOf<management.RpcRequest>["value"];

/** Every message that is a request of one of the three protocols. */
export type RequestMessage = InstanceRequest | EnvironmentRequest | ManagementRequest;

type CaseOf<Request extends RequestEnvelope, M> = Extract<RequestOf<Request>, { value: M }>["case"];
type ValueOf<Response extends ResponseEnvelope, Case> = Extract<ResponseOf<Response>, { case: Case }>["value"];
type AnswerIn<Table, Case extends keyof Table, Response extends ResponseEnvelope> = Table[Case] extends string
  ? ValueOf<Response, Table[Case]>
  : undefined;

/** What the server answers to a request message; undefined for calls that it answers with the end of the stream. */
export type Answer<M extends RequestMessage> = M extends InstanceRequest
  ? AnswerIn<typeof instanceAnswers, CaseOf<instance.RpcRequest, M>, instance.RpcResponse>
  : M extends EnvironmentRequest
    ? AnswerIn<typeof environmentAnswers, CaseOf<environment.RpcRequest, M>, environment.RpcResponse>
    : M extends ManagementRequest
      ? AnswerIn<typeof managementAnswers, CaseOf<management.RpcRequest, M>, management.RpcResponse>
      : never;

/** How a request message travels. */
export interface CallShape {
  readonly protocol: Protocol;
  /** The member of the request envelope it goes into. */
  readonly request: string;
  /** The member of the response envelope that answers it; undefined = the end of the stream. */
  readonly response: string | undefined;
  /** The server may answer late on purpose. */
  readonly waits: boolean;
  /** A client may repeat it though it may have been carried out. */
  readonly isIdempotent: boolean;
}

const shapes = new Map<string, CallShape>();
/** Requests that carry a whole call of the management protocol. */
const carriers: ReadonlySet<string> = new Set([
  "runtara.instance.ManagementRequest",
  "runtara.environment.ManagementRequest",
]);
for (const protocol of [instanceProtocol, environmentProtocol, managementProtocol] as const) {
  for (const [typeName, request] of protocol.requestCases) {
    const waits = protocol.waiting.includes(request);
    const isIdempotent = protocol.idempotent.includes(request);
    const response = protocol.answers[request];
    shapes.set(typeName, { protocol: protocol as Protocol, request, response, waits, isIdempotent });
  }
}

/**
 * How `message` travels, by its `$typeName`. One that carries a management call waits and repeats as that call does.
 *
 * @throws ProtocolError MESSAGE_UNKNOWN if it is no request of the three protocols.
 */
export function callShape(message: Message): CallShape {
  const shape = shapes.get(message.$typeName);
  if (shape === undefined) throw unknownMessage(message);
  return carriers.has(message.$typeName) ? carriedShape(shape, message) : shape;
}

function carriedShape(shape: CallShape, message: Message): CallShape {
  const { call } = message as instance.ManagementRequest | environment.ManagementRequest;
  const { waits, isIdempotent } = call?.request.value ? callShape(call.request.value) : shape;
  return { ...shape, waits, isIdempotent };
}

function unknownMessage(message: Message): ProtocolError {
  const what = message.$typeName === undefined ? "the object has no $typeName" : `${message.$typeName} is not one`;
  return new ProtocolError("MESSAGE_UNKNOWN", `expected a request message, but ${what}; use create(schema, init)`);
}
