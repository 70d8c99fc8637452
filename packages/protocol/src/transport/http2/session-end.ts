import type { Http2Session } from "node:http2";
import type { TLSSocket } from "node:tls";
import { type ConnectionClosed, QuicError } from "@runtara/quic";
import { limits } from "../../limits.ts";
import { closedError } from "../closed.ts";
import { closeText, farewellOf } from "./goaway.ts";

const closedByPeer = "the peer has closed the TCP connection";

/** How a session ends, for either side: once, with one reason, and its socket soon after. */
export class SessionEnd {
  /** Resolves when the peer has been told, or cannot be. */
  readonly gone: Promise<void>;
  readonly #session: Http2Session;
  readonly #socket: TLSSocket;
  readonly #onEnd: (why: ConnectionClosed) => void;
  #why: ConnectionClosed | undefined;
  #error: QuicError | undefined;

  constructor(session: Http2Session, socket: TLSSocket, onEnd: (why: ConnectionClosed) => void) {
    this.#session = session;
    this.#socket = socket;
    this.#onEnd = onEnd;
    const gone = Promise.withResolvers<void>();
    this.gone = gone.promise;
    session.on("goaway", (code: number, _last: number, text?: Uint8Array) => this.#onGoaway(code, text));
    session.on("error", (error: Error) => this.lost(error.message, error));
    session.on("close", () => this.lost(closedByPeer));
    socket.once("close", () => {
      this.lost(closedByPeer);
      gone.resolve();
    });
  }

  get why(): ConnectionClosed | undefined {
    return this.#why;
  }

  /** For what the end has cut off. Node takes the streams from a session that dies before it says that it has died. */
  get error(): QuicError | undefined {
    if (this.#session.destroyed || this.#socket.destroyed) {
      const cause = this.#socket.errored;
      this.lost(cause?.message ?? closedByPeer, cause ?? undefined);
    }
    return this.#error;
  }

  /** Our application closes it. */
  close(code: number, reason: string): void {
    if (this.#why !== undefined) return;
    if (!this.#session.destroyed) this.#session.goaway(0, 0, closeText(code, reason));
    this.#end({ by: "local", code: BigInt(code), reason });
  }

  lost(reason: string, cause?: unknown): void {
    if (this.#why !== undefined) return;
    const error = new QuicError("CONNECTION_LOST", `connection lost: ${reason}`, { cause });
    this.#end({ by: "lost", code: 0n, reason: "", error });
  }

  #onGoaway(code: number, text: Uint8Array | undefined): void {
    const farewell = farewellOf(text);
    if (farewell?.is === "close") this.#end({ by: "peer", code: farewell.code, reason: farewell.reason });
    else if (farewell?.is === "refuse") this.#end({ by: "lost", code: 0n, reason: "", error: farewell.error });
    else this.lost(`the peer ended it with HTTP/2 error ${code}`);
  }

  #end(why: ConnectionClosed): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#error = closedError(why);
    this.#onEnd(why);
    // Sends what is queued and the end of the TCP connection. A peer that takes nothing is cut off.
    this.#session.destroy();
    setTimeout(() => this.#socket.destroy(), limits.http2CloseMs).unref();
  }
}
