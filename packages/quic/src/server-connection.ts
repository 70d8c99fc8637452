import type { ConnectionClosed } from "./errors.ts";
import { operation } from "./native.ts";
import { codeWords } from "./options.ts";
import type { Outbox } from "./outbox.ts";

const encoder = new TextEncoder();

/** A client's connection as the server sees it. */
export class ServerConnection {
  /** Unique among the living connections of its listener. */
  readonly id: number;
  /** `address:port`, IPv6 addresses in brackets. It is the one of the handshake. */
  readonly remoteAddress: string;
  /** Free for the user of this package. */
  data: unknown = undefined;
  readonly #outbox: Outbox;
  #isOpen = true;
  #closedHere: ConnectionClosed | undefined;

  /** @internal */
  constructor(outbox: Outbox, id: number, remoteAddress: string) {
    this.#outbox = outbox;
    this.id = id;
    this.remoteAddress = remoteAddress;
  }

  /** False from the moment on which the end of the connection is known here. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Closes it at once; calls that are not answered yet are cut off. Calling it again does nothing. */
  close(code = 0, reason = ""): void {
    const [low, high] = codeWords(code);
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#closedHere = { by: "local", code: BigInt(code), reason };
    this.#outbox.bytes(operation.connectionClose, this.id, encoder.encode(reason), low, high);
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
