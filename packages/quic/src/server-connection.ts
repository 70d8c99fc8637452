import type { Bridge } from "./bridge.ts";
import type { PeerCertificate } from "./certificate.ts";
import { type ConnectionClosed, QuicError } from "./errors.ts";
import { type ConnectionStats, operation } from "./native.ts";
import { codeWords } from "./options.ts";

const encoder = new TextEncoder();

/** A client's connection as the server sees it. */
export class ServerConnection {
  /** Unique among the living connections of its listener. */
  readonly id: number;
  /** `address:port`, IPv6 addresses in brackets. It is the one of the handshake. */
  readonly remoteAddress: string;
  /** Free for the user of this package. */
  data: unknown = undefined;
  /** Who the client has proved to be; undefined unless the listener has `clientCaPem`. */
  readonly peerCertificate: PeerCertificate | undefined;
  readonly #bridge: Bridge;
  #isOpen = true;
  #closedHere: ConnectionClosed | undefined;

  /** @internal */
  constructor(bridge: Bridge, id: number, remoteAddress: string, peerCertificate: PeerCertificate | undefined) {
    this.#bridge = bridge;
    this.peerCertificate = peerCertificate;
    this.id = id;
    this.remoteAddress = remoteAddress;
  }

  /** False from the moment on which the end of the connection is known here. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @throws QuicError CONNECTION_CLOSED: it has ended */
  stats(): ConnectionStats {
    const stats = this.#isOpen ? this.#bridge.connectionStats(this.id) : undefined;
    if (stats === undefined) throw new QuicError("CONNECTION_CLOSED", `connection ${this.id} has ended`);
    return stats;
  }

  /** Closes it at once; calls that are not answered yet are cut off. Calling it again does nothing. */
  close(code = 0, reason = ""): void {
    const [low, high] = codeWords(code);
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#closedHere = { by: "local", code: BigInt(code), reason };
    this.#bridge.outbox.bytes(operation.connectionClose, this.id, encoder.encode(reason), low, high);
  }

  /** @internal How this side has closed it, if it has. */
  get closedHere(): ConnectionClosed | undefined {
    return this.#closedHere;
  }

  /** @internal Returns the end as the user is told of it. */
  end(why: ConnectionClosed): ConnectionClosed {
    this.#isOpen = false;
    return why.by === "local" ? (this.#closedHere ?? why) : why;
  }
}
