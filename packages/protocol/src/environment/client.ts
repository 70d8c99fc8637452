import type { RpcRequest } from "../gen/runtara/environment/environment_pb.ts";
import { type Caller, createTypedClient, type TypedClient } from "../protocols/typed-client.ts";
import { environmentProtocol } from "./protocol.ts";

/** One method for each call of the environment protocol but the streamed upload of an image. */
export type EnvironmentClient = Omit<TypedClient<RpcRequest>, "registerImageStream">;

/** The environment protocol over `client`, which stays the caller's to close. See `createTypedClient`. */
export function environmentClient(client: Caller): EnvironmentClient {
  return createTypedClient(environmentProtocol, client);
}
