import type { ServerConnection as QuicServerConnection } from "@runtara/quic";
import { AsyncQueue } from "../async-queue.ts";
import type * as instance from "../gen/runtara/instance/instance_pb.ts";
import type { RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
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
  readonly #quic: QuicServerConnection;

  /** For QuicServer. */
  constructor(quic: QuicServerConnection) {
    this.#quic = quic;
    this.id = quic.id;
    this.remoteAddress = quic.remoteAddress;
  }

  get isOpen(): boolean {
    return this.#quic.isOpen;
  }

  /** Ends the connection and every call on it; the client sees `code` and `reason`. */
  close(code = 0, reason = "server closing"): void {
    this.#quic.close(code, reason);
  }

  [Symbol.asyncIterator](): AsyncIterator<ServerCall<Request, Response>> {
    return this.calls[Symbol.asyncIterator]();
  }
}
