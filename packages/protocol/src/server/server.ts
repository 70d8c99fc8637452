import type { CertificatePair } from "@runtara/quic";
import { formatAddress, parseAddress, resolveHost } from "../address.ts";
import { AsyncQueue } from "../async-queue.ts";
import { ProtocolError } from "../errors.ts";
import type * as instance from "../gen/runtara/instance/instance_pb.ts";
import { instanceProtocol } from "../instance/protocol.ts";
import { limits, serverDefaults } from "../limits.ts";
import type { Protocol, RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
import { fromQuicError, mapped } from "../quic-errors.ts";
import type { TransportListener } from "../transport/port.ts";
import { CallDesk } from "./call-desk.ts";
import type { ServerConnection } from "./connection.ts";
import { type DrainOptions, type DrainReport, drainCalls } from "./drain.ts";
import { warnOfFailedHandlers } from "./faults.ts";
import { Incoming } from "./incoming.ts";
import { identityOf, type ServerOptions, transportOf } from "./listen-options.ts";
import { listenTransport, serverNumbers } from "./options.ts";
import { type ServerStats, serverStats } from "./stats.ts";
import { TurnedAwayWatch } from "./turned-away.ts";

/**
 * A server of one protocol, on one port. It answers everything of spec 1.8 that is not a request by itself, so that
 * all servers behave alike: what is no frame gets the end of the stream, what is no request an RpcError, and so does
 * what is over a limit. Each touches only its own stream.
 */
export class QuicServer<
  Request extends RequestEnvelope = instance.RpcRequest,
  Response extends ResponseEnvelope = instance.RpcResponse,
> implements AsyncIterable<ServerConnection<Request, Response>>
{
  readonly #listener: TransportListener;
  readonly #queue: AsyncQueue<ServerConnection<Request, Response>>;
  readonly #desk: CallDesk<Request, Response>;
  readonly #incoming: Incoming<Request, Response>;
  readonly #onDraining: () => void;
  readonly #turnedAway: TurnedAwayWatch;
  readonly #closing = new AbortController();
  #drained: Promise<DrainReport> | undefined;

  private constructor(
    listener: TransportListener,
    queue: AsyncQueue<ServerConnection<Request, Response>>,
    desk: CallDesk<Request, Response>,
    incoming: Incoming<Request, Response>,
    onDraining: () => void,
  ) {
    this.#listener = listener;
    this.#queue = queue;
    this.#desk = desk;
    this.#incoming = incoming;
    this.#onDraining = onDraining;
    this.#turnedAway = new TurnedAwayWatch(() => listener.stats(), desk.refused, desk.faults);
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
    const numbers = serverNumbers(options);
    const address = parseAddress(options.bindAddr ?? serverDefaults.bindAddr, "bind");
    const host = await resolveHost(address.host, "bind");
    // The default of the type parameters is the instance protocol's, so the fallback has the right type.
    const protocol = options.protocol ?? (instanceProtocol as unknown as Protocol<Request, Response>);
    const onFault = options.onFault ?? warnOfFailedHandlers;
    const desk = new CallDesk(protocol, numbers, onFault, options.onCall === undefined, options.onCallEnded);
    const queue = new AsyncQueue<ServerConnection<Request, Response>>();
    const incoming = new Incoming(desk, numbers.maxConcurrentHandlers, options, queue);
    const transport = transportOf(options);
    const bindOptions = { host, port: address.port, ...identityOf(options), ...listenTransport(numbers) };
    const listener = await mapped(transport.listen(bindOptions, incoming.transportHandlers));
    return new QuicServer(listener, queue, desk, incoming, options.onDraining ?? (() => {}));
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

  /** Aborted when `drain` begins. */
  get draining(): AbortSignal {
    return this.#desk.draining.signal;
  }

  /**
   * Shows another certificate in the handshakes that begin from now on; connections that stand stay.
   *
   * @throws ProtocolError CERTIFICATE_INVALID (the old one stays in use) or ENDPOINT_CLOSED.
   */
  setCertificate(certificate: CertificatePair): void {
    try {
      this.#listener.setCertificate(certificate);
    } catch (error) {
      throw fromQuicError(error);
    }
  }

  /** @throws ProtocolError ENDPOINT_CLOSED after `close`. */
  stats(): ServerStats {
    try {
      return serverStats(this.#turnedAway.look(), this.#desk, this.#incoming.connectionsTotal);
    } catch (error) {
      throw fromQuicError(error);
    }
  }

  /** Keeps the process alive while listening (the default). */
  ref(): void {
    this.#listener.ref();
  }

  /** Lets the process end although this server listens. */
  unref(): void {
    this.#listener.unref();
  }

  /**
   * Ends the server without losing work: takes no connection and no call any more (they are told DRAINING, to come again),
   * cuts calls that wait on purpose, lets all others finish for at most `graceMs`, then closes with code 0 "server
   * closing". A client that has shown no extension would take DRAINING for good: its calls are reset instead, and its
   * connection is closed as soon as it has none under way. Acknowledgements are carried out to the end. Calling it again
   * returns the first one's promise; `close` ends it early.
   *
   * @throws ProtocolError OPTION_INVALID: `graceMs` is no whole number from 0.
   */
  async drain({ graceMs = serverDefaults.drainGraceMs }: DrainOptions = {}): Promise<DrainReport> {
    if (!Number.isSafeInteger(graceMs) || graceMs < 0 || graceMs > limits.timerMsMax) {
      const message = `graceMs must be a whole number from 0 to ${limits.timerMsMax}, got ${graceMs}`;
      throw new ProtocolError("OPTION_INVALID", message);
    }
    this.#drained ??= this.#drain(graceMs);
    return this.#drained;
  }

  /** Closes every connection at once with code 0 "server closing"; unanswered calls are cut off. Idempotent. */
  async close(): Promise<void> {
    this.#queue.end();
    if (!this.#closing.signal.aborted) this.#turnedAway.close();
    this.#closing.abort();
    this.#desk.close();
    await mapped(this.#listener.close(0, "server closing"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The connections, as they come; the iteration ends with `close` or `drain`. */
  [Symbol.asyncIterator](): AsyncIterator<ServerConnection<Request, Response>> {
    return this.#queue[Symbol.asyncIterator]();
  }

  async #drain(graceMs: number): Promise<DrainReport> {
    this.#queue.end();
    const { connections } = this.#incoming;
    const report = await drainCalls(this.#desk, connections, graceMs, this.#closing.signal, this.#onDraining);
    await this.close();
    return report;
  }
}
