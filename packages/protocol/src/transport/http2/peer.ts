import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { ConnectionClosed, PeerCertificate, QuicError } from "@runtara/quic";
import { limits, serverDefaults } from "../../limits.ts";
import { type FrameBounds, frameBounds } from "../frame-bounds.ts";
import { peerCertificateOf } from "../peer-certificate.ts";
import type { BindOptions, LinkStats, TransportPeer } from "../port.ts";
import { Budget } from "./budget.ts";
import type { StreamOwner } from "./byte-stream.ts";
import { answerOptions, refusedStatus } from "./headers.ts";
import { Http2Call } from "./incoming-call.ts";
import { Liveness } from "./liveness.ts";
import { SessionEnd } from "./session-end.ts";

/** What a connection tells its listener. */
export interface PeerOwner {
  readonly options: BindOptions;
  onCall(call: Http2Call): void;
  onEnded(peer: Http2Peer, why: ConnectionClosed): void;
}

/** The server's end of an HTTP/2 connection. */
export class Http2Peer implements TransportPeer, StreamOwner {
  readonly side = "server";
  readonly id: number;
  readonly remoteAddress: string;
  readonly peerCertificate: PeerCertificate | undefined;
  readonly bounds: FrameBounds;
  readonly budget: Budget;
  data: unknown;
  readonly #owner: PeerOwner;
  readonly #end: SessionEnd;
  readonly #liveness: Liveness;
  /** Read and not ended yet. */
  readonly #calls = new Set<Http2Call>();
  readonly #streams = new Set<ServerHttp2Stream>();

  constructor(id: number, remoteAddress: string, session: ServerHttp2Session, socket: TLSSocket, owner: PeerOwner) {
    this.id = id;
    this.remoteAddress = remoteAddress;
    const certificate = owner.options.clientCaPem === undefined ? undefined : socket.getPeerX509Certificate();
    this.peerCertificate = certificate && peerCertificateOf(certificate);
    this.bounds = frameBounds(owner.options);
    this.budget = new Budget(owner.options.frame?.connectionBufferBytesMax ?? limits.http2ConnectionBufferBytesMax);
    this.#owner = owner;
    this.#end = new SessionEnd(session, socket, (why) => this.#onEnded(why));
    this.#liveness = new Liveness(session, socket, { ...serverDefaults, ...owner.options.transport }, () =>
      this.#end.lost("nothing came from the client within the idle time-out"),
    );
    session.on("stream", (raw, headers) => this.#onStream(raw, headers));
    // The listener keeps the process alive, not its clients.
    session.unref();
  }

  get isOpen(): boolean {
    return this.#end.why === undefined;
  }

  get endError(): QuicError | undefined {
    return this.#end.error;
  }

  get openCalls(): number {
    return this.#calls.size;
  }

  get openStreams(): number {
    return this.#streams.size - this.#calls.size;
  }

  /** Resolves when the client has been told. */
  get gone(): Promise<void> {
    return this.#end.gone;
  }

  stats(): LinkStats {
    if (this.endError !== undefined) throw this.endError;
    return { remoteAddress: this.remoteAddress, ...this.#liveness.stats(), callsInFlight: this.#calls.size };
  }

  close(code = 0, reason = ""): void {
    this.#end.close(code, reason);
  }

  /** Resolves when the answers that were given are on their way, or after a short time. */
  async answersLeft(): Promise<void> {
    const leaving = [...this.#streams].filter((raw) => raw.writableEnded && !raw.writableFinished);
    if (leaving.length === 0) return;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, limits.http2AnswersLeaveMs);
    const left = leaving.map((raw) => new Promise((resolve) => raw.once("finish", resolve).once("close", resolve)));
    await Promise.race([Promise.all(left), late.promise]);
    clearTimeout(timer);
  }

  onRead(call: Http2Call): void {
    if (!this.isOpen) return;
    this.#calls.add(call);
    this.#owner.onCall(call);
  }

  onCallEnded(call: Http2Call): void {
    this.#calls.delete(call);
  }

  hold(): void {}

  release(): void {}

  pace(reset: () => void): void {
    reset();
  }

  #onStream(raw: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const status = refusedStatus(headers);
    if (status !== undefined) {
      refuse(raw, status);
      return;
    }
    this.#streams.add(raw);
    raw.once("close", () => this.#streams.delete(raw));
    new Http2Call(this, raw);
  }

  #onEnded(why: ConnectionClosed): void {
    this.#liveness.stop();
    // Later, as every other event, also if the server itself has closed it from within a handler.
    setImmediate(() => {
      for (const call of [...this.#calls]) call.abort();
      this.#owner.onEnded(this, why);
    });
  }
}

/** What is no call of ours gets an HTTP status and the end of its stream. */
function refuse(raw: ServerHttp2Stream, status: number): void {
  raw.on("error", () => {});
  raw.respond({ ":status": status }, { ...answerOptions, endStream: true });
  raw.close(constants.NGHTTP2_NO_ERROR);
}
