import { performServerHandshake } from "node:http2";
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions, type Server as TlsServer } from "node:tls";
import { type CertificatePair, type ConnectionClosed, QuicError } from "@runtara/quic";
import { formatAddress } from "../../address.ts";
import { limits, serverDefaults } from "../../limits.ts";
import type { BindOptions, TransportHandlers, TransportListener, TransportStats } from "../port.ts";
import { runHandler } from "../run-handler.ts";
import { refusalBytes } from "./goaway.ts";
import type { Http2Call } from "./incoming-call.ts";
import { Http2Peer, type PeerOwner } from "./peer.ts";
import { sessionOptions } from "./session-options.ts";
import { checkCertificate } from "./tls-certificate.ts";
import { refusalOf } from "./tls-errors.ts";
import { Unsent } from "./unsent.ts";

/** A TCP port that speaks HTTP/2 over TLS 1.3. */
export class Http2Listener implements TransportListener, PeerOwner {
  readonly options: BindOptions;
  readonly unsent: Unsent;
  readonly #tcp: TcpServer;
  readonly #tls: TlsServer;
  readonly #handlers: TransportHandlers;
  readonly #peers = new Set<Http2Peer>();
  /** By address, until TLS stands, and those that are not let in until they have gone. */
  readonly #pending = new Map<string, Socket>();
  readonly #handshakesMax: number;
  readonly #streamsMax: number;
  #certificatePem: string;
  #host: string;
  #port: number;
  #nextId: number;
  #callsReceived = 0;
  #isDrainDue = false;
  #closing: Promise<void> | undefined;

  /** @throws QuicError CERTIFICATE_INVALID */
  constructor(options: BindOptions, certificate: CertificatePair, handlers: TransportHandlers) {
    this.options = options;
    this.unsent = new Unsent(
      options.frame?.connectionUnsentBytesMax ?? serverDefaults.maxConnectionUnsentBytes,
      options.frame?.endpointUnsentBytesMax ?? serverDefaults.maxUnsentBytes,
    );
    this.#host = options.host;
    this.#nextId = options.connectionIdsFrom ?? 1;
    this.#port = options.port;
    this.#handlers = handlers;
    this.#certificatePem = certificate.certPem;
    this.#handshakesMax = options.transport?.maxIncoming ?? serverDefaults.maxIncoming;
    this.#streamsMax = options.transport?.maxBidiStreams ?? serverDefaults.maxBiStreams;
    checkCertificate(certificate, options.clientCaPem);
    this.#tls = createTlsServer(tlsOptions(certificate, options.clientCaPem));
    this.#tls.on("secureConnection", (socket) => this.#onSecure(socket));
    this.#tcp = createTcpServer({ noDelay: true }, (socket) => this.#onTcp(socket));
  }

  /** @throws QuicError BIND_FAILED */
  async bind(): Promise<void> {
    const bound = Promise.withResolvers<void>();
    this.#tcp.once("error", bound.reject);
    // The system's backlog is cut to its own maximum.
    this.#tcp.listen({ ...this.options, backlog: limits.http2BacklogMax }, bound.resolve);
    try {
      await bound.promise;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new QuicError("BIND_FAILED", `${formatAddress(this.options)} over TCP: ${reason}`, { cause });
    }
    // Failed accepts (no file descriptors) pass; the next one is tried by Node.
    this.#tcp.removeListener("error", bound.reject).on("error", () => {});
    const address = this.#tcp.address();
    if (address === null || typeof address === "string") return;
    this.#host = address.address;
    this.#port = address.port;
  }

  get host(): string {
    return this.#host;
  }

  get port(): number {
    return this.#port;
  }

  get certificatePem(): string {
    return this.#certificatePem;
  }

  setCertificate(certificate: CertificatePair): void {
    if (this.#closing) throw new QuicError("ENDPOINT_CLOSED", "the listener is closed");
    const { clientCaPem } = this.options;
    checkCertificate(certificate, clientCaPem);
    this.#tls.setSecureContext(tlsOptions(certificate, clientCaPem));
    this.#certificatePem = certificate.certPem;
  }

  close(code = 0, reason = ""): Promise<void> {
    this.#closing ??= this.#close(code, reason);
    return this.#closing;
  }

  ref(): void {
    this.#tcp.ref();
  }

  unref(): void {
    this.#tcp.unref();
  }

  stats(): TransportStats {
    if (this.#closing) throw new QuicError("ENDPOINT_CLOSED", "the listener is closed");
    const sum = (count: (peer: Http2Peer) => number): number =>
      [...this.#peers].reduce((total, peer) => total + count(peer), 0);
    return {
      connections: this.#peers.size,
      openCalls: sum((peer) => peer.openCalls),
      openStreams: sum((peer) => peer.openStreams),
      callsReceived: this.#callsReceived,
      udpReceiveBufferBytes: 0,
      udpSendBufferBytes: 0,
      connectionsRefused: 0,
      answersRefused: this.unsent.answersRefused,
      connectionsShed: this.unsent.connectionsShed,
    };
  }

  onCall(call: Http2Call): void {
    this.#callsReceived++;
    runHandler(() => this.#handlers.onCall(call));
    if (this.#isDrainDue) return;
    this.#isDrainDue = true;
    // Behind everything that this turn of the event loop has read from the sockets.
    setImmediate(() => {
      this.#isDrainDue = false;
      runHandler(() => this.#handlers.onDrained?.());
    });
  }

  onEnded(peer: Http2Peer, why: ConnectionClosed): void {
    this.#peers.delete(peer);
    runHandler(() => this.#handlers.onConnectionClosed?.(peer, why));
  }

  #onTcp(socket: Socket): void {
    socket.on("error", () => {});
    if (this.#pending.size >= this.#handshakesMax || this.#closing) {
      socket.destroy();
      return;
    }
    const address = addressOf(socket);
    this.#pending.set(address, socket);
    socket.once("close", () => this.#pending.delete(address));
    socket.unref();
    this.#tls.emit("connection", socket);
  }

  #onSecure(socket: TLSSocket): void {
    socket.on("error", () => {});
    const refusal = this.options.clientCaPem === undefined ? undefined : refusalOf(socket);
    if (refusal !== undefined || this.#closing) {
      // It stays pending until it has gone.
      if (refusal !== undefined) socket.end(refusalBytes(refusal.code, refusal.message));
      socket.resume();
      setTimeout(() => socket.destroy(), limits.http2CloseMs).unref();
      return;
    }
    const remoteAddress = addressOf(socket);
    this.#pending.delete(remoteAddress);
    const session = performServerHandshake(socket, {
      ...sessionOptions(this.#streamsMax),
      streamResetBurst: limits.http2ResetsBurst,
      streamResetRate: limits.http2ResetsPerSecond,
    });
    session.setLocalWindowSize(limits.http2ConnectionWindowBytes);
    const peer = new Http2Peer(this.#nextId++, remoteAddress, session, socket, this);
    this.#peers.add(peer);
    runHandler(() => this.#handlers.onConnection?.(peer));
  }

  async #close(code: number, reason: string): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
    for (const socket of this.#pending.values()) socket.destroy();
    await Promise.all(
      [...this.#peers].map(async (peer) => {
        await peer.answersLeft();
        peer.close(code, reason);
        await peer.gone;
      }),
    );
    await closed;
  }
}

function addressOf(socket: Socket): string {
  return formatAddress({ host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 });
}

function tlsOptions({ certPem, keyPem }: CertificatePair, clientCaPem: string | undefined): TlsOptions {
  return {
    cert: certPem,
    key: keyPem,
    minVersion: "TLSv1.3",
    ALPNProtocols: ["h2"],
    handshakeTimeout: limits.http2HandshakeMs,
    // Whom we do not let in is told why by us, because Node would only hang up.
    ...(clientCaPem === undefined ? {} : { ca: clientCaPem, requestCert: true, rejectUnauthorized: false }),
  };
}
