import type { RpcRequest } from "../gen/runtara/management/management_pb.ts";
import { type Caller, createTypedClient, type TypedClient } from "../protocols/typed-client.ts";
import { managementProtocol } from "./protocol.ts";

/** One method for each call of the management protocol. */
export type ManagementClient = TypedClient<RpcRequest>;

/**
 * The management protocol over `client`, which stays the caller's to close: one that is connected to a management port,
 * or `managementThrough` another port. See `createTypedClient`.
 */
export function managementClient(client: Caller): ManagementClient {
  return createTypedClient(managementProtocol, client);
}
