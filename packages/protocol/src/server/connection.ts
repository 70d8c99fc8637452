import { AsyncQueue } from "../async-queue.ts";
import type * as instance from "../gen/runtara/instance/instance_pb.ts";
import type { RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
import type { TransportPeer } from "../transport/port.ts";
import type { ServerCall } from "./call.ts";

/** One client. Without an `onCall` handler, iterate it for its calls; the iteration ends with the connection. */
export class ServerConnection<
  Request extends RequestEnvelope = instance.RpcRequest,
  Response extends ResponseEnvelope = instance.RpcResponse,
> implements AsyncIterable<ServerCall<Request, Response>>
{
  /** Unique among the connections of one server. */
  readonly id: number;
  readonly remoteAddress: string;
  /** Free for the server's use, for example what this client has registered as. */
  data: unknown;
  /** For QuicServer: calls that wait to be iterated, at most as many as the client may have under way. */
  readonly calls: AsyncQueue<ServerCall<Request, Response>> = new AsyncQueue();
  readonly #peer: TransportPeer;

  /** For QuicServer. */
  constructor(peer: TransportPeer) {
    this.#peer = peer;
    this.id = peer.id;
    this.remoteAddress = peer.remoteAddress;
  }

  get isOpen(): boolean {
    return this.#peer.isOpen;
  }

  /** Ends the connection and every call on it; the client sees `code` and `reason`. */
  close(code = 0, reason = "server closing"): void {
    this.#peer.close(code, reason);
  }

  [Symbol.asyncIterator](): AsyncIterator<ServerCall<Request, Response>> {
    return this.calls[Symbol.asyncIterator]();
  }
}
