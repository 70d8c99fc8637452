import { create, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import type { RetryingCallOptions } from "../client/call-with-retry.ts";
import { readAnswer } from "../envelopes.ts";
import { ProtocolError } from "../errors.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import type { RpcRequest, RpcRequestSchema } from "../gen/runtara/management/management_pb.ts";
import { type Answer, callShape, type RequestMessage } from "../protocols/calls.ts";
import type { Caller } from "../protocols/typed-client.ts";
import { managementProtocol } from "./protocol.ts";

type Port = "instance" | "environment";
type Carrier = instance.ManagementRequest | environment.ManagementRequest;

function carrierOf(port: Port, call: MessageInitShape<typeof RpcRequestSchema>): Carrier {
  return port === "instance"
    ? create(instance.ManagementRequestSchema, { call })
    : create(environment.ManagementRequestSchema, { call });
}

/**
 * Carries management calls inside those of another protocol, so that a worker (instance protocol) or an operator
 * (environment protocol) needs one connection only: `managementClient(managementThrough("instance", client))`. Needs the
 * feature "management"; without it every call fails with `rpcCode` EMPTY_REQUEST. Calls wait and repeat as they would
 * on a port of their own.
 */
export function managementThrough(port: Port, client: Caller): Caller {
  return {
    async call<M extends RequestMessage>(message: M, options?: RetryingCallOptions): Promise<Answer<M>> {
      const shape = callShape(message);
      if (shape.protocol.name !== managementProtocol.name) {
        const text = `${message.$typeName} is no request of the management protocol`;
        throw new ProtocolError("MESSAGE_UNKNOWN", text);
      }
      // The shape says that the message belongs into this member.
      const request = { case: shape.request, value: message as Message } as RpcRequest["request"];
      const { answer } = await client.call(carrierOf(port, { request }), options);
      if (answer === undefined) throw new ProtocolError("RESPONSE_UNEXPECTED", "the management answer is empty");
      return readAnswer(shape, answer.response) as Answer<M>;
    },
  };
}
