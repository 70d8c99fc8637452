import { type ConnectionClosed, QuicError } from "@runtara/quic";
import { formatAddress } from "../../address.ts";
import { limits, serverDefaults } from "../../limits.ts";
import type { BindOptions, TransportHandlers, TransportListener, TransportPeer, TransportStats } from "../port.ts";
import { MemoryCall } from "./call.ts";
import { MemoryConnection } from "./connection.ts";
import { type FrameBounds, readFrame } from "./frames.ts";
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

  constructor(id: number, remoteAddress: string, link: Link) {
    this.id = id;
    this.remoteAddress = remoteAddress;
    this.link = link;
  }

  get isOpen(): boolean {
    return this.link.ended.server === undefined;
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
  #lastId = 0;
  #callsReceived = 0;
  #isDrainDue = false;
  #closing: Promise<void> | undefined;

  constructor(options: BindOptions, port: number, handlers: TransportHandlers, onClose: () => void) {
    this.host = options.host;
    this.port = port;
    this.#handlers = handlers;
    this.#onClose = onClose;
    this.#bounds = {
      payloadBytesMax: options.frame?.payloadBytesMax ?? limits.framePayloadBytesMax,
      typeMax: options.frame?.typeMax ?? limits.frameTypeMax,
      readTimeoutMs: options.frame?.readTimeoutMs ?? serverDefaults.frameReadTimeoutMs,
    };
    this.#streamsMax = options.transport?.maxBidiStreams ?? serverDefaults.maxBiStreams;
  }

  /** A new connection; its client's end. */
  accept(clientAddress: string): MemoryConnection {
    const closed = Promise.withResolvers<ConnectionClosed>();
    const link: Link = new Link(this.#streamsMax, (stream) => void this.#serve(peer, stream), {
      client: closed.resolve,
      server: (why) => this.#onEnded(peer, why),
    });
    const peer = new MemoryPeer(++this.#lastId, clientAddress, link);
    this.#peers.add(peer);
    run(() => this.#handlers.onConnection?.(peer));
    return new MemoryConnection(link, formatAddress(this), closed.promise, this.#bounds);
  }

  close(code = 0, reason = ""): Promise<void> {
    this.#closing ??= this.#close(code, reason);
    return this.#closing;
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
    run(() => this.#handlers.onCall(call));
    this.#drainLater();
  }

  /** Frames of one macrotask are one batch. */
  #drainLater(): void {
    if (this.#isDrainDue) return;
    this.#isDrainDue = true;
    deliver(() => {
      this.#isDrainDue = false;
      run(() => this.#handlers.onDrained?.());
    });
  }

  #onEnded(peer: MemoryPeer, why: ConnectionClosed): void {
    this.#peers.delete(peer);
    // Later, as every other event, also if the server itself has closed it from within a handler.
    deliver(() => {
      for (const call of [...peer.calls]) run(() => call.abort());
      run(() => this.#handlers.onConnectionClosed?.(peer, why));
    });
  }
}

/** One handler's mistake must not cost the others. */
function run(handler: () => void): void {
  try {
    handler();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
