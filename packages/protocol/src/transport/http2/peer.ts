import type { Http2Stream, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import type { TLSSocket } from "node:tls";
import { type ConnectionClosed, type PeerCertificate, peerCertificate, type QuicError } from "@runtara/quic";
import { limits, serverDefaults } from "../../limits.ts";
import { type FrameBounds, frameBounds } from "../frame-bounds.ts";
import type { BindOptions, LinkStats, TransportPeer } from "../port.ts";
import { Budget } from "./budget.ts";
import type { StreamOwner } from "./byte-stream.ts";
import { answerOptions, refusedStatus } from "./headers.ts";
import { Http2Call } from "./incoming-call.ts";
import { Liveness } from "./liveness.ts";
import { SessionEnd } from "./session-end.ts";
import { sendStop, stopOf } from "./stop-ping.ts";
import type { Share, Unsent } from "./unsent.ts";

/** What a connection tells its listener. */
export interface PeerOwner {
  readonly options: BindOptions;
  readonly unsent: Unsent;
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
  /** By the stream's number. */
  readonly #streams = new Map<number, Http2Call>();
  readonly #session: ServerHttp2Session;
  readonly #share: Share;

  constructor(id: number, remoteAddress: string, session: ServerHttp2Session, socket: TLSSocket, owner: PeerOwner) {
    this.id = id;
    this.remoteAddress = remoteAddress;
    const certificate = owner.options.clientCaPem === undefined ? undefined : socket.getPeerX509Certificate();
    this.peerCertificate = certificate && peerCertificate(certificate.raw);
    this.bounds = frameBounds(owner.options);
    this.budget = new Budget(owner.options.frame?.connectionBufferBytesMax ?? limits.http2ConnectionBufferBytesMax);
    this.#owner = owner;
    this.#session = session;
    this.#share = owner.unsent.join(() => this.close(limits.http2UnreadCode, "too many answers wait unread"));
    this.#end = new SessionEnd(session, socket, (why) => this.#onEnded(why));
    this.#liveness = new Liveness(session, socket, { ...serverDefaults, ...owner.options.transport }, () =>
      this.#end.lost("nothing came from the client within the idle time-out"),
    );
    session.on("stream", (raw, headers) => this.#onStream(raw, headers));
    session.on("ping", (payload) => {
      const stop = stopOf(payload);
      if (stop !== undefined) this.#streams.get(stop.streamId)?.onPeerStopped(stop.code);
    });
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
    const streams = [...this.#streams.values()].map((call) => call.raw);
    const leaving = streams.filter((raw) => raw.writableEnded && !raw.writableFinished);
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

  tellStop(raw: Http2Stream, code: number): void {
    if (raw.id !== undefined) sendStop(this.#session, { streamId: raw.id, code });
  }

  /** Whether an answer may wait until the client takes it. */
  admit(bytes: number): boolean {
    return this.#owner.unsent.admit(this.#share, bytes);
  }

  onAnswerLeft(bytes: number): void {
    this.#owner.unsent.sent(this.#share, bytes);
  }

  #onStream(raw: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const status = refusedStatus(headers);
    if (status !== undefined) {
      refuse(raw, status);
      return;
    }
    const { id = 0 } = raw;
    this.#streams.set(id, new Http2Call(this, raw));
    raw.once("close", () => this.#streams.delete(id));
  }

  #onEnded(why: ConnectionClosed): void {
    this.#liveness.stop();
    this.#owner.unsent.leave(this.#share);
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
