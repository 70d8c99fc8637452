import type { ClientHttp2Session, ClientHttp2Stream, Http2Stream, OutgoingHttpHeaders } from "node:http2";
import { constants } from "node:http2";
import type { TLSSocket } from "node:tls";
import {
  type CallOptions,
  type ConnectionClosed,
  type Frame,
  neverSent,
  type PeerCertificate,
  peerCertificate,
  QuicError,
} from "@runtara/quic";
import { encodeFrame } from "../../frames.ts";
import { clientDefaults, limits } from "../../limits.ts";
import { checkFrame, type FrameBounds, frameBounds } from "../frame-bounds.ts";
import type { DialOptions, LinkStats, TransportConnection } from "../port.ts";
import { ByteStream, type StreamOwner } from "./byte-stream.ts";
import { answerFault, requestHeaders } from "./headers.ts";
import { Liveness } from "./liveness.ts";
import { ResetPace } from "./reset-pace.ts";
import { SessionEnd } from "./session-end.ts";
import { sendStop, stopOf } from "./stop-ping.ts";
import { type CallOwner, UnaryCall } from "./unary-call.ts";

type Opening = PromiseWithResolvers<ByteStream>;

/** The client's end of an HTTP/2 connection. It keeps the process alive only while something on it is pending. */
export class Http2Connection implements TransportConnection, CallOwner, StreamOwner {
  readonly transportName = "http2";
  readonly side = "client";
  readonly remoteAddress: string;
  readonly peerCertificate: PeerCertificate | undefined;
  readonly closed: Promise<ConnectionClosed>;
  readonly bounds: FrameBounds;
  readonly #session: ClientHttp2Session;
  readonly #socket: TLSSocket;
  readonly #headers: OutgoingHttpHeaders;
  readonly #end: SessionEnd;
  readonly #liveness: Liveness;
  readonly #calls = new Set<UnaryCall>();
  /** Calls and streams that wait until the server allows one more; the first one is served first. */
  readonly #waiting = new Set<UnaryCall | Opening>();
  readonly #streams = new Map<number, ByteStream>();
  #openStreams = 0;
  /** It has no number left for a further stream; what is open goes on, and with the last stream it ends. */
  #spent: QuicError | undefined;
  #streamsMax: number;
  #holds = 0;
  readonly #resetPace: ResetPace = new ResetPace();
  /** Streams of the calls that were answered in this turn of the event loop. */
  #answered: ClientHttp2Stream[] = [];

  constructor(session: ClientHttp2Session, socket: TLSSocket, options: DialOptions, remoteAddress: string) {
    const closed = Promise.withResolvers<ConnectionClosed>();
    this.closed = closed.promise;
    this.remoteAddress = remoteAddress;
    const certificate = socket.getPeerX509Certificate();
    this.peerCertificate = certificate && peerCertificate(certificate.raw);
    // How long an answer may take is the call's own deadline.
    this.bounds = { ...frameBounds(options), readTimeoutMs: 0 };
    this.#session = session;
    this.#socket = socket;
    this.#headers = requestHeaders(`${options.serverName}:${options.port}`);
    this.#end = new SessionEnd(session, socket, (why) => this.#onEnded(why, closed.resolve));
    this.#liveness = new Liveness(session, socket, { ...clientDefaults, ...options.transport }, () =>
      this.#end.lost("nothing came from the server within the idle time-out"),
    );
    this.#streamsMax = streamsAllowed(session);
    session.on("remoteSettings", () => {
      this.#streamsMax = streamsAllowed(session);
      this.#serveWaiting();
    });
    session.on("ping", (payload) => {
      const stop = stopOf(payload);
      if (stop !== undefined) this.#streams.get(stop.streamId)?.onPeerStopped(stop.code);
    });
    session.unref();
  }

  /** Whether it takes further calls. */
  get isOpen(): boolean {
    return this.#end.why === undefined && this.#spent === undefined;
  }

  get endError(): QuicError | undefined {
    return this.#end.error;
  }

  call(type: number, payload: Uint8Array, options?: CallOptions): Promise<Frame> {
    try {
      checkFrame(this.bounds, type, payload);
      this.#checkOpen();
      if (options?.signal?.aborted === true) {
        throw new QuicError("CALL_ABORTED", "the call was aborted before it began", { cause: options.signal.reason });
      }
    } catch (error) {
      return Promise.reject(error);
    }
    const call = new UnaryCall(this, encodeFrame(type, payload), options);
    this.#calls.add(call);
    this.hold();
    this.#whenAllowed(call);
    return call.promise;
  }

  async send(type: number, payload: Uint8Array): Promise<void> {
    try {
      await this.call(type, payload);
    } catch (error) {
      if (!(error instanceof QuicError)) throw error;
      const isTaken = error.code === "STREAM_ENDED" || (error.code === "STREAM_RESET" && error.resetCode === 0n);
      if (!isTaken) throw error;
    }
  }

  openStream(): Promise<ByteStream> {
    try {
      this.#checkOpen();
    } catch (error) {
      return Promise.reject(error);
    }
    const opening = Promise.withResolvers<ByteStream>();
    this.hold();
    this.#whenAllowed(opening);
    return opening.promise.finally(() => this.release());
  }

  stats(): LinkStats {
    if (this.endError !== undefined) throw this.endError;
    return { remoteAddress: this.remoteAddress, ...this.#liveness.stats(), callsInFlight: this.#calls.size };
  }

  async close(code = 0, reason = ""): Promise<void> {
    this.hold();
    this.#end.close(code, reason);
    await this.#end.gone;
    this.release();
  }

  hold(): void {
    this.#holds++;
    if (this.#holds === 1) this.#socket.ref();
  }

  release(): void {
    this.#holds--;
    if (this.#holds === 0) this.#socket.unref();
  }

  pace(reset: () => void): void {
    this.#resetPace.run(reset);
  }

  tellStop(raw: Http2Stream, code: number): void {
    if (raw.id !== undefined) sendStop(this.#session, { streamId: raw.id, code });
  }

  onSettled(call: UnaryCall): void {
    this.#calls.delete(call);
    this.#waiting.delete(call);
    this.release();
  }

  onRefused(call: UnaryCall): void {
    setImmediate(() => {
      if (!this.#calls.has(call)) return;
      if (this.#spent !== undefined) call.fail(this.#spent);
      else if (this.isOpen) this.#whenAllowed(call);
    });
  }

  onAnswered(raw: ClientHttp2Stream): void {
    if (this.#answered.push(raw) === 1) setImmediate(() => this.#sweep());
  }

  /** Streams that a server leaves open behind its answer would use up what it allows. */
  #sweep(): void {
    const answered = this.#answered;
    this.#answered = [];
    const isOpen = (raw: ClientHttp2Stream): boolean => !raw.closed && !raw.readableEnded;
    for (const raw of answered.filter(isOpen)) {
      const cut = (): void => void (isOpen(raw) && raw.close(constants.NGHTTP2_CANCEL));
      setTimeout(() => this.pace(cut), limits.http2StreamEndMs).unref();
    }
  }

  #whenAllowed(one: UnaryCall | Opening): void {
    if (this.#mayStart() && this.#waiting.size === 0) this.#start(one);
    else this.#waiting.add(one);
  }

  /** A session that is told of its end tells us a moment later. */
  #mayStart(): boolean {
    const { closed, destroyed } = this.#session;
    return this.isOpen && !closed && !destroyed && this.#openStreams < this.#streamsMax;
  }

  #start(one: UnaryCall | Opening): void {
    const isUnary = one instanceof UnaryCall;
    const raw = this.#session.request(this.#headers, { endStream: false, waitForTrailers: !isUnary });
    this.#openStreams++;
    raw.on("close", () => {
      this.#openStreams--;
      if (this.#spent !== undefined && this.#openStreams === 0) this.#end.lost(this.#spent.message);
      this.#serveWaiting();
    });
    if (raw.id === undefined) {
      // No number was left; it has told nobody.
      raw.on("error", () => {});
      this.#waiting.add(one);
    } else if (isUnary) one.start(raw);
    else one.resolve(this.#stream(raw));
    if (raw.id === undefined || raw.id >= limits.http2StreamIdMax) this.#onSpent();
  }

  #onSpent(): void {
    if (this.#spent !== undefined) return;
    this.#spent = new QuicError("CONNECTION_LOST", "the connection has used up its stream numbers; connect again");
    this.#failWaiting(this.#spent);
  }

  /** @throws QuicError */
  #checkOpen(): void {
    const error = this.endError ?? this.#spent;
    if (error !== undefined) throw neverSent(error);
  }

  #stream(raw: ClientHttp2Stream): ByteStream {
    const stream = new ByteStream(raw, this);
    stream.endsByTrailers();
    const { id = 0 } = raw;
    this.#streams.set(id, stream);
    raw.on("close", () => this.#streams.delete(id));
    raw.on("response", (headers) => {
      if (answerFault(headers) !== undefined) stream.abandon();
    });
    return stream;
  }

  #serveWaiting(): void {
    for (const next of this.#waiting) {
      if (!this.#mayStart()) return;
      this.#waiting.delete(next);
      this.#start(next);
    }
  }

  #onEnded(why: ConnectionClosed, tell: (why: ConnectionClosed) => void): void {
    this.#liveness.stop();
    this.#resetPace.stop();
    const error = this.#end.error ?? new QuicError("CONNECTION_LOST", "the connection has ended");
    for (const call of [...this.#calls]) call.fail(error);
    this.#failWaiting(error);
    tell(why);
  }

  /** Of these the server has seen nothing. */
  #failWaiting(error: QuicError): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const one of waiting) {
      if (one instanceof UnaryCall) one.fail(error);
      else one.reject(neverSent(error));
    }
  }
}

function streamsAllowed(session: ClientHttp2Session): number {
  return session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY;
}
