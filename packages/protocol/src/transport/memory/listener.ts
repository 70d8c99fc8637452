import { X509Certificate } from "node:crypto";
import { type ConnectionClosed, type PeerCertificate, peerCertificate, QuicError } from "@runtara/quic";
import { formatAddress } from "../../address.ts";
import { serverDefaults } from "../../limits.ts";
import { closedError } from "../closed.ts";
import { type FrameBounds, frameBounds } from "../frame-bounds.ts";
import type {
  BindOptions,
  DialOptions,
  LinkStats,
  TransportHandlers,
  TransportListener,
  TransportPeer,
  TransportStats,
} from "../port.ts";
import { runHandler } from "../run-handler.ts";
import { MemoryCall } from "./call.ts";
import { MemoryConnection } from "./connection.ts";
import { readFrame } from "./frames.ts";
import { Link } from "./link.ts";
import { deliver } from "./pipe.ts";
import type { MemoryStream } from "./stream.ts";

/** The server's end of a connection in memory. */
class MemoryPeer implements TransportPeer {
  readonly id: number;
  readonly remoteAddress: string;
  data: unknown;
  readonly calls: Set<MemoryCall> = new Set();
  readonly link: Link;

  readonly peerCertificate: PeerCertificate | undefined;

  constructor(id: number, remoteAddress: string, link: Link, peerCertificate: PeerCertificate | undefined) {
    this.id = id;
    this.remoteAddress = remoteAddress;
    this.link = link;
    this.peerCertificate = peerCertificate;
  }

  get isOpen(): boolean {
    return this.link.ended.server === undefined;
  }

  stats(): LinkStats {
    const why = this.link.ended.server;
    if (why !== undefined) throw closedError(why);
    return { remoteAddress: this.remoteAddress, callsInFlight: this.calls.size };
  }

  close(code = 0, reason = ""): void {
    void this.link.close("server", code, reason);
  }
}

/** An address in memory that takes connections. It never keeps the process alive: nobody outside could connect. */
export class MemoryListener implements TransportListener {
  readonly host: string;
  readonly port: number;
  readonly certificatePem = "";
  readonly #handlers: TransportHandlers;
  readonly #bounds: FrameBounds;
  readonly #streamsMax: number;
  readonly #onClose: () => void;
  readonly #peers = new Set<MemoryPeer>();
  #nextId: number;
  #callsReceived = 0;
  #isDrainDue = false;
  #closing: Promise<void> | undefined;

  constructor(options: BindOptions, port: number, handlers: TransportHandlers, onClose: () => void) {
    this.host = options.host;
    this.port = port;
    this.#handlers = handlers;
    this.#nextId = options.connectionIdsFrom ?? 1;
    this.#onClose = onClose;
    this.#bounds = frameBounds(options);
    this.#streamsMax = options.transport?.maxBidiStreams ?? serverDefaults.maxBiStreams;
  }

  /** A new connection; its client's end. There is no handshake, so the certificate is taken at its word. */
  accept(clientAddress: string, client: Pick<DialOptions, "certificate" | "frame">): MemoryConnection {
    const { certificate } = client;
    const closed = Promise.withResolvers<ConnectionClosed>();
    const link: Link = new Link(this.#streamsMax, (stream) => void this.#serve(peer, stream), {
      client: closed.resolve,
      server: (why) => this.#onEnded(peer, why),
    });
    const holder = certificate && peerCertificate(new X509Certificate(certificate.certPem).raw);
    const peer = new MemoryPeer(this.#nextId++, clientAddress, link, holder);
    this.#peers.add(peer);
    runHandler(() => this.#handlers.onConnection?.(peer));
    return new MemoryConnection(link, formatAddress(this), closed.promise, frameBounds(client));
  }

  close(code = 0, reason = ""): Promise<void> {
    this.#closing ??= this.#close(code, reason);
    return this.#closing;
  }

  setCertificate(): void {
    if (this.#closing) throw new QuicError("ENDPOINT_CLOSED", "the listener is closed");
  }

  ref(): void {}

  unref(): void {}

  stats(): TransportStats {
    if (this.#closing) throw new QuicError("ENDPOINT_CLOSED", "the listener is closed");
    const sum = (count: (peer: MemoryPeer) => number): number =>
      [...this.#peers].reduce((total, peer) => total + count(peer), 0);
    const openCalls = sum((peer) => peer.calls.size);
    return {
      connections: this.#peers.size,
      openCalls,
      openStreams: sum((peer) => peer.link.streamCount) - openCalls,
      callsReceived: this.#callsReceived,
      udpReceiveBufferBytes: 0,
      udpSendBufferBytes: 0,
    };
  }

  async #close(code: number, reason: string): Promise<void> {
    this.#onClose();
    // Answers that were given before go first.
    await new Promise<void>(deliver);
    await Promise.all([...this.#peers].map((peer) => peer.link.close("server", code, reason)));
  }

  async #serve(peer: MemoryPeer, stream: MemoryStream): Promise<void> {
    const read = await readFrame(stream.incoming, this.#bounds).catch(() => undefined);
    // Only the end of the connection makes reading fail.
    if (read === undefined || !peer.isOpen) return;
    this.#callsReceived++;
    const call = new MemoryCall(peer, read, stream, this.#bounds, (over) => peer.calls.delete(over));
    peer.calls.add(call);
    runHandler(() => this.#handlers.onCall(call));
    this.#drainLater();
  }

  /** Frames of one macrotask are one batch. */
  #drainLater(): void {
    if (this.#isDrainDue) return;
    this.#isDrainDue = true;
    deliver(() => {
      this.#isDrainDue = false;
      runHandler(() => this.#handlers.onDrained?.());
    });
  }

  #onEnded(peer: MemoryPeer, why: ConnectionClosed): void {
    this.#peers.delete(peer);
    // Later, as every other event, also if the server itself has closed it from within a handler.
    deliver(() => {
      for (const call of [...peer.calls]) runHandler(() => call.abort());
      runHandler(() => this.#handlers.onConnectionClosed?.(peer, why));
    });
  }
}
