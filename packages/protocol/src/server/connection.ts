import type { PeerCertificate } from "@runtara/quic";
import { AsyncQueue } from "../async-queue.ts";
import type * as instance from "../gen/runtara/instance/instance_pb.ts";
import type { RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
import { fromQuicError } from "../quic-errors.ts";
import type { LinkStats, TransportPeer } from "../transport/port.ts";
import type { ServerCall } from "./call.ts";

/**
 * One client. Without an `onCall` handler, iterate it for its calls; the iteration ends with the connection. Calls that
 * wait when the iteration is left early, or when the connection ends and nobody iterates it, are ended with an error.
 */
export class ServerConnection<
  Request extends RequestEnvelope = instance.RpcRequest,
  Response extends ResponseEnvelope = instance.RpcResponse,
> implements AsyncIterable<ServerCall<Request, Response>>
{
  /** Unique among the connections of one server. */
  readonly id: number;
  readonly remoteAddress: string;
  /** Who the client has proved to be; undefined unless the server has `clientCaPem`. */
  readonly peerCertificate: PeerCertificate | undefined;
  /** Free for the server's use, for example what this client has registered as. */
  data: unknown;
  /** For QuicServer: calls that wait to be iterated; they are open calls, so the limits of those hold for them. */
  readonly calls: AsyncQueue<ServerCall<Request, Response>> = new AsyncQueue((call) => call.drop());
  /** For QuicServer: calls without a request deadline, which end with the connection. */
  readonly held: Set<ServerCall<Request, Response>> = new Set();
  /** Request payloads of this client's calls without an answer. */
  bytesInFlight = 0;
  /** For QuicServer: one of its calls has shown it. */
  knowsExtensions = false;
  /** For QuicServer: the drain has refused or cut a call of it and closes it after its last one. */
  isLeaving = false;
  /** For QuicServer: closes it then, unless a call comes before. */
  farewell: NodeJS.Timeout | undefined;
  readonly #peer: TransportPeer;

  /** For QuicServer. */
  constructor(peer: TransportPeer) {
    this.#peer = peer;
    this.id = peer.id;
    this.remoteAddress = peer.remoteAddress;
    this.peerCertificate = peer.peerCertificate;
  }

  get isOpen(): boolean {
    return this.#peer.isOpen;
  }

  /**
   * What the network knows of it; costs a lock, so not for every call.
   *
   * @throws ProtocolError CONNECTION_CLOSED: it has ended.
   */
  stats(): LinkStats {
    try {
      return this.#peer.stats();
    } catch (error) {
      throw fromQuicError(error);
    }
  }

  /** Ends the connection and every call on it; the client sees `code` and `reason`. */
  close(code = 0, reason = "server closing"): void {
    this.#peer.close(code, reason);
  }

  [Symbol.asyncIterator](): AsyncIterator<ServerCall<Request, Response>> {
    return this.calls[Symbol.asyncIterator]();
  }
}
