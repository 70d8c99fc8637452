import type { ConnectionClosed, ListenOptions } from "@runtara/quic";
import { formatAddress, parseAddress, resolveHost } from "../address.ts";
import { AsyncQueue } from "../async-queue.ts";
import { encodeError } from "../envelopes.ts";
import { frameType } from "../frames.ts";
import type * as instance from "../gen/runtara/instance/instance_pb.ts";
import { serverDefaults } from "../limits.ts";
import { instanceProtocol } from "../protocols/instance.ts";
import type { Protocol, RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
import { mapped } from "../quic-errors.ts";
import { readRequest } from "../read-request.ts";
import type {
  Transport,
  TransportHandlers,
  TransportListener,
  TransportPeer,
  TransportStats,
} from "../transport/port.ts";
import { quicTransport } from "../transport/quic.ts";
import { ServerCall } from "./call.ts";
import { ServerConnection } from "./connection.ts";
import { type ServerFault, warnOfFailedHandlers } from "./faults.ts";
import { listenTransport, type ServerTransport } from "./options.ts";

/** What a server does with what comes in. Without `onCall`, iterate the server and its connections. */
export interface ServerHandlers<Request extends RequestEnvelope, Response extends ResponseEnvelope> {
  /**
   * Every call, synchronously, many in a row. No promise is made per call: answer at once, or keep the call and answer
   * later. What cannot be read as a request never comes here.
   */
  readonly onCall?: (call: ServerCall<Request, Response>) => void;
  /** After the last `onCall` of a batch: the moment to commit a group and answer it. */
  readonly onDrained?: () => void;
  readonly onConnection?: (connection: ServerConnection<Request, Response>) => void;
  readonly onConnectionClosed?: (connection: ServerConnection<Request, Response>, why: ConnectionClosed) => void;
  /** Default: a failed handler becomes a process warning, the rest is not reported. */
  readonly onFault?: (fault: ServerFault) => void;
}

export interface ServerOptions<Request extends RequestEnvelope, Response extends ResponseEnvelope>
  extends ServerTransport,
    ServerHandlers<Request, Response> {
  /** `ip:port`, `[v6]:port` or `host:port`; port 0 = a free one. Default 127.0.0.1:0. */
  readonly bindAddr?: string;
  /** What is spoken. Default: the instance protocol. */
  readonly protocol?: Protocol<Request, Response>;
  /** Default: made anew, self-signed, for the name "localhost". */
  readonly certificate?: ListenOptions["certificate"];
  /** The network. Default: QUIC; `memoryTransport()` is one without sockets, for tests. */
  readonly transport?: Transport;
}

/**
 * A server of one protocol, on one port. It answers everything of spec 1.8 that is not a request by itself, so that
 * all servers behave alike: what is no frame gets the end of the stream, what is no request an RpcError. Either touches
 * only its own stream.
 */
export class QuicServer<
  Request extends RequestEnvelope = instance.RpcRequest,
  Response extends ResponseEnvelope = instance.RpcResponse,
> implements AsyncIterable<ServerConnection<Request, Response>>
{
  readonly #listener: TransportListener;
  readonly #connections: AsyncQueue<ServerConnection<Request, Response>>;

  private constructor(listener: TransportListener, connections: AsyncQueue<ServerConnection<Request, Response>>) {
    this.#listener = listener;
    this.#connections = connections;
  }

  /**
   * Listens; the port is bound when this resolves.
   *
   * @throws ProtocolError ADDRESS_INVALID, OPTION_INVALID, CERTIFICATE_INVALID, or BIND_FAILED with address and reason.
   */
  static async listen<
    Request extends RequestEnvelope = instance.RpcRequest,
    Response extends ResponseEnvelope = instance.RpcResponse,
  >(options: ServerOptions<Request, Response> = {}): Promise<QuicServer<Request, Response>> {
    const address = parseAddress(options.bindAddr ?? serverDefaults.bindAddr, "bind");
    const host = await resolveHost(address.host, "bind");
    const connections = new AsyncQueue<ServerConnection<Request, Response>>();
    const { certificate = "self-signed", transport = quicTransport } = options;
    const listenOptions = { host, port: address.port, certificate, ...listenTransport(options) };
    const listener = await mapped(transport.listen(listenOptions, listenHandlers(options, connections)));
    return new QuicServer(listener, connections);
  }

  /** `ip:port` that is really listened on. */
  get address(): string {
    return formatAddress(this.#listener);
  }

  get port(): number {
    return this.#listener.port;
  }

  /** The certificate that clients see, PEM: a client with it as `caPem` verifies this server. */
  get certificatePem(): string {
    return this.#listener.certificatePem;
  }

  stats(): TransportStats {
    return this.#listener.stats();
  }

  /** Keeps the process alive while listening (the default). */
  ref(): void {
    this.#listener.ref();
  }

  /** Lets the process end although this server listens. */
  unref(): void {
    this.#listener.unref();
  }

  /** Closes every connection at once with code 0 "server closing"; unanswered calls are cut off. Idempotent. */
  async close(): Promise<void> {
    this.#connections.end();
    await mapped(this.#listener.close(0, "server closing"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The connections, as they come; the iteration ends with `close`. */
  [Symbol.asyncIterator](): AsyncIterator<ServerConnection<Request, Response>> {
    return this.#connections[Symbol.asyncIterator]();
  }
}

/** Ties our handlers to those of the network. */
function listenHandlers<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  options: ServerOptions<Request, Response>,
  connections: AsyncQueue<ServerConnection<Request, Response>>,
): TransportHandlers {
  // The default of the type parameters is the instance protocol's, so the fallback has the right type.
  const protocol = options.protocol ?? (instanceProtocol as unknown as Protocol<Request, Response>);
  const connectionsMax = options.maxConcurrentHandlers ?? serverDefaults.maxConcurrentHandlers;
  const onFault = options.onFault ?? warnOfFailedHandlers;
  const handle = options.onCall ?? ((call: ServerCall<Request, Response>) => call.connection.calls.push(call));
  const context = { protocol, onFault };
  let connectionCount = 0;

  const connectionOf = (quic: TransportPeer): ServerConnection<Request, Response> | undefined =>
    quic.data as ServerConnection<Request, Response> | undefined;

  const handleSafely = (call: ServerCall<Request, Response>): void => {
    try {
      handle(call);
    } catch (error) {
      call.finish();
      const message = `the handler of ${String(call.request.case)} failed: ${String(error)}`;
      onFault({ kind: "handlerFailed", message, remoteAddress: call.connection.remoteAddress, error });
    }
  };

  return {
    onCall(incoming) {
      const connection = connectionOf(incoming.connection);
      // A refused connection may have sent calls before it noticed.
      if (connection === undefined) {
        incoming.finish();
        return;
      }
      const read = readRequest(protocol, incoming);
      if (read.kind === "request") {
        handleSafely(new ServerCall(context, connection, incoming, read.request));
        return;
      }
      const { remoteAddress } = connection;
      if (read.kind === "answer") {
        incoming.respond(frameType.response, encodeError(protocol, read.code, read.message));
        onFault({ kind: "badRequest", message: read.message, remoteAddress });
      } else {
        incoming.finish();
        onFault({ kind: "streamClosed", message: `Stream error: ${read.reason}`, remoteAddress });
      }
    },
    onConnection(quic) {
      if (connectionsMax > 0 && connectionCount >= connectionsMax) {
        const message = `${connectionsMax} connections are the limit of this server`;
        quic.close(0, message);
        onFault({ kind: "connectionRefused", message, remoteAddress: quic.remoteAddress });
        return;
      }
      connectionCount++;
      const connection = new ServerConnection<Request, Response>(quic);
      quic.data = connection;
      options.onConnection?.(connection);
      if (!options.onCall) connections.push(connection);
    },
    onConnectionClosed(quic, why) {
      const connection = connectionOf(quic);
      if (connection === undefined) return;
      connectionCount--;
      connection.calls.end();
      options.onConnectionClosed?.(connection, why);
    },
    ...(options.onDrained ? { onDrained: options.onDrained } : {}),
  };
}
