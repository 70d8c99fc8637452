import type { RpcRequest } from "../gen/runtara/instance/instance_pb.ts";
import { type Caller, createTypedClient, type TypedClient } from "../protocols/typed-client.ts";
import { instanceProtocol } from "./protocol.ts";

/** One method for each call of the instance protocol. */
export type InstanceClient = TypedClient<RpcRequest>;

/** The instance protocol over `client`, which stays the caller's to close. See `createTypedClient`. */
export function instanceClient(client: Caller): InstanceClient {
  return createTypedClient(instanceProtocol, client);
}
