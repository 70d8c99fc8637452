import { Bridge, type EventSink, type EventView } from "./bridge.ts";
import { type CertificatePair, type PeerCertificate, peerCertificate } from "./certificate.ts";
import { type ConnectionClosed, closedBy, closedError, neverSent, QuicError } from "./errors.ts";
import { hold, release } from "./hold.ts";
import { clientTransport } from "./limits.ts";
import { type ConnectionStats, eventKind, operation } from "./native.ts";
import {
  checkAddress,
  checkFrame,
  codeWords,
  type FrameOptions,
  frameDefaults,
  type TransportOptions,
  withDefaults,
} from "./options.ts";
import { PendingCalls } from "./pending.ts";
import { endStream, onStreamEvent } from "./server.ts";
import { checkPace, StandIn, type StandInPace } from "./stand-in.ts";
import { QuicStream } from "./stream.ts";
import { nativeVerify, type Verify } from "./verify.ts";

export interface ConnectOptions {
  /** An address, or a name of which the first address is used. */
  readonly host: string;
  readonly port: number;
  /** The name that the certificate must have; not sent to the server if it is an IP address. */
  readonly serverName: string;
  /** How the server's certificate is checked. */
  readonly verify: Verify;
  /** What this client shows to a server that asks for a certificate. */
  readonly certificate?: CertificatePair;
  /** For everything until the connection stands; 0: as long as the idle timeout allows. */
  readonly connectTimeoutMs: number;
  /** Gives the attempt up; a connection that stands is not touched. */
  readonly signal?: AbortSignal;
  /**
   * Whether TLS sessions of earlier connections of this process to the same address may go on here, and this one later:
   * only those with the same `serverName`, `verify` and `certificate`. Never with early data. Default: true.
   */
  readonly resumption?: boolean;
  readonly transport?: Partial<TransportOptions>;
  readonly frame?: Partial<FrameOptions>;
}

export interface CallOptions {
  /** From the call on, waiting for a free stream included; 0 or absent: none. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** One frame. The payload is its receiver's for as long as it likes. */
export interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** A client has only one. */
const connectionNumber = 0;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Connects to a server. Keeps the process alive meanwhile. A server that takes no further connections is a CONNECT_FAILED
 * that says so. Aborting `signal` lets go of the socket at once.
 *
 * @throws QuicError ADDRESS_INVALID, SERVER_NAME_INVALID, CERTIFICATE_INVALID, CONNECT_TIMEOUT, CONNECT_FAILED,
 * CALL_ABORTED: `signal` was aborted; TLS_NAME_MISMATCH, TLS_CERTIFICATE_EXPIRED, TLS_CERTIFICATE_UNKNOWN, TLS_CLIENT_CERTIFICATE_REQUIRED, TLS_FAILED,
 * BIND_FAILED, ADDON_MISSING
 */
export async function connect(options: ConnectOptions): Promise<QuicConnection> {
  checkAddress(options.host, options.port);
  const { signal } = options;
  if (signal?.aborted === true) throw dialAborted(signal);
  const core = new ClientCore(options);
  const onAbort = (): void => core.abandon(dialAborted(signal));
  signal?.addEventListener("abort", onAbort);
  hold();
  try {
    await core.connected.promise;
  } finally {
    release();
    signal?.removeEventListener("abort", onAbort);
  }
  return new QuicConnection(core);
}

/** A client's connection. It keeps the process alive only while something on it is pending. */
export class QuicConnection {
  readonly #core: ClientCore;

  /** @internal */
  constructor(core: ClientCore) {
    this.#core = core;
  }

  /** Resolves when the connection has ended, however; never rejects. */
  get closed(): Promise<ConnectionClosed> {
    return this.#core.closed.promise;
  }

  get isOpen(): boolean {
    return this.#core.why === undefined;
  }

  /** `address:port`, IPv6 addresses in brackets. */
  get remoteAddress(): string {
    return this.#core.remoteAddress;
  }

  /** Whether its handshake took up the TLS session of an earlier connection. */
  get isResumed(): boolean {
    return this.#core.isResumed;
  }

  /**
   * The certificate that the server has shown, whether or not `verify` has looked at it; on a resumed connection the one of
   * the connection whose TLS session goes on.
   */
  get peerCertificate(): PeerCertificate {
    return this.#core.peerCertificate;
  }

  /**
   * One unary call on a stream of its own: a frame and FIN, one frame back. If the peer allows no further stream it waits
   * for one. The payload must not change before the end of the tick. `timeoutMs` and `signal` give up the stream, never
   * the connection; whether the peer has acted is then unknown. An error with `wasSent` false says that it has seen nothing.
   *
   * @throws QuicError CALL_TIMEOUT, CALL_ABORTED, STREAM_ENDED, STREAM_RESET, FRAME_TYPE_INVALID, FRAME_TOO_LARGE,
   * CONNECTION_CLOSED, CONNECTION_LOST
   */
  call(type: number, payload: Uint8Array, options?: CallOptions): Promise<Frame> {
    return this.#core.start<Frame>(operation.call, type, payload, options);
  }

  /**
   * A frame and FIN for a peer that owes no answer. Resolves when the peer has ended its side, by FIN or by reset with
   * code 0, so awaiting it means that the frame has been read; an answer is thrown away.
   *
   * @throws QuicError as `call`
   */
  send(type: number, payload: Uint8Array): Promise<void> {
    return this.#core.start<void>(operation.send, type, payload, undefined);
  }

  /**
   * Opens a raw stream; the peer sees it with the first bytes. If the peer allows no further stream it waits for one: write
   * on those that you have, because a server allows more only when it sees what is used.
   *
   * @throws QuicError CONNECTION_CLOSED, CONNECTION_LOST
   */
  openStream(): Promise<QuicStream> {
    return this.#core.start<QuicStream>(operation.openStream, 1, new Uint8Array(0), undefined);
  }

  /** @throws QuicError CONNECTION_CLOSED, CONNECTION_LOST: it has ended */
  stats(): ConnectionStats {
    return this.#core.stats();
  }

  /**
   * Goes on from a fresh local socket, for a machine whose address has changed; calls and streams stay. Resolves when the
   * socket is there, before the server has followed (RFC 9000 section 9). After an error the old socket stays.
   *
   * @throws QuicError BIND_FAILED, CONNECTION_CLOSED, CONNECTION_LOST
   */
  rebind(): Promise<void> {
    return this.#core.rebind();
  }

  /**
   * Has this frame sent by the addon, each time on a stream of its own, while no `sign` of the returned object comes for longer than `quietMs`: for
   * what has to go out in time although the event loop is busy. Answers are thrown away. A connection has one; a later one takes its place.
   * It ends with the connection.
   *
   * @throws QuicError FRAME_TYPE_INVALID, FRAME_TOO_LARGE, CONNECTION_CLOSED, CONNECTION_LOST
   * @throws RangeError a time is no whole number of milliseconds from 1 to 2^31 - 1
   */
  standIn(type: number, payload: Uint8Array, pace: StandInPace): StandIn {
    return this.#core.standIn(type, payload, pace);
  }

  /**
   * Ends the connection: pending calls fail, what was not sent is dropped. Resolves when the peer has been told.
   * Idempotent: later calls return the first one's promise.
   */
  close(code = 0, reason = ""): Promise<void> {
    return this.#core.close(code, reason);
  }
}

class ClientCore implements EventSink {
  readonly connected: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly closed: PromiseWithResolvers<ConnectionClosed> = Promise.withResolvers<ConnectionClosed>();
  remoteAddress = "";
  isResumed = false;
  /** How the connection ended; undefined while it is open. */
  why: ConnectionClosed | undefined;
  readonly #bridge: Bridge;
  readonly #frame: FrameOptions;
  readonly #pending: PendingCalls;
  readonly #streams = new Map<number, QuicStream>();
  #closing: PromiseWithResolvers<void> | undefined;
  #isToldToPeer = false;
  #standIn: StandIn | undefined;
  /** DER, until it is asked for. */
  #certificate: Uint8Array | PeerCertificate = new Uint8Array(0);

  constructor(options: ConnectOptions) {
    const { host, port, serverName, connectTimeoutMs } = options;
    this.#frame = withDefaults(frameDefaults, options.frame);
    const verify = nativeVerify(options.verify);
    const transport = withDefaults<TransportOptions>(clientTransport, options.transport);
    const isResuming = options.resumption ?? true;
    const native = { host, port, serverName, verify, ...options.certificate, connectTimeoutMs, isResuming, transport };
    this.#bridge = new Bridge(this, (addon, ready) => addon.clientConnect({ ...native, frame: this.#frame }, ready));
    this.#pending = new PendingCalls((number) => this.#bridge.outbox.plain(operation.cancel, number));
  }

  get peerCertificate(): PeerCertificate {
    if (this.#certificate instanceof Uint8Array) this.#certificate = peerCertificate(this.#certificate);
    return this.#certificate;
  }

  /** Gives up connecting; the native side lets go of its socket when its endpoint is disposed of. */
  abandon(error: QuicError): void {
    // It may have succeeded in the very tick of the abort.
    if (this.remoteAddress !== "") return;
    this.connected.reject(error);
    this.#bridge.dispose();
  }

  start<T>(kind: number, type: number, payload: Uint8Array, options: CallOptions | undefined): Promise<T> {
    try {
      checkFrame(this.#frame, type, payload);
      if (this.why !== undefined) throw neverSent(closedError(this.why));
      if (options?.signal?.aborted === true) throw abortedError(options.signal);
    } catch (error) {
      return Promise.reject(error);
    }
    const entry = this.#pending.add<T>(options);
    this.#bridge.outbox.frame(kind, entry.number, type, payload);
    return entry.promise;
  }

  stats(): ConnectionStats {
    const stats = this.why === undefined ? this.#bridge.connectionStats(connectionNumber) : undefined;
    if (stats !== undefined) return { ...stats, callsInFlight: this.#pending.size };
    throw this.why === undefined ? new QuicError("CONNECTION_LOST", "the connection has ended") : closedError(this.why);
  }

  standIn(type: number, payload: Uint8Array, pace: StandInPace): StandIn {
    checkFrame(this.#frame, type, payload);
    checkPace(pace);
    if (this.why !== undefined) throw closedError(this.why);
    this.#standIn?.end();
    this.#bridge.standIn(type, payload, pace);
    this.#standIn = new StandIn(this.#bridge);
    return this.#standIn;
  }

  rebind(): Promise<void> {
    if (this.why !== undefined) return Promise.reject(closedError(this.why));
    const entry = this.#pending.add<void>(undefined);
    this.#bridge.outbox.plain(operation.rebind, entry.number);
    return entry.promise;
  }

  close(code: number, reason: string): Promise<void> {
    const [low, high] = codeWords(code);
    if (this.#closing !== undefined) return this.#closing.promise;
    this.#closing = Promise.withResolvers<void>();
    if (this.#bridge.isDisposed || this.why !== undefined) {
      this.#closing.resolve();
      return this.#closing.promise;
    }
    hold();
    this.why = { by: "local", code: BigInt(code), reason };
    this.#endStreams(closedError(this.why));
    this.#bridge.outbox.bytes(operation.endpointClose, 0, encoder.encode(reason), low, high);
    return this.#closing.promise.finally(release);
  }

  onDrained(): void {}

  onEvent(kind: number, subject: number, event: EventView): void {
    switch (kind) {
      case eventKind.answer:
        this.#settle(subject, { type: event.value, payload: event.takeBytes() });
        break;
      case eventKind.sent:
        this.#settle(subject, undefined);
        break;
      case eventKind.callFailed:
        this.#onCallFailed(subject, event.error(), event.other === 0);
        break;
      case eventKind.streamOpened:
        this.#onStreamOpened(subject, event.value);
        break;
      case eventKind.connected:
        this.#onConnected(event);
        break;
      case eventKind.endpointFailed:
        this.#onFailed(event.error());
        break;
      case eventKind.connectionClosed:
        this.#onConnectionClosed(event);
        break;
      case eventKind.endpointClosed:
        this.#onEndpointClosed();
        break;
      default:
        onStreamEvent(kind, this.#streams.get(subject), event);
        break;
    }
  }

  #onConnected(event: EventView): void {
    const bytes = event.takeBytes();
    // Behind the address comes the certificate.
    this.remoteAddress = decoder.decode(bytes.subarray(0, event.value));
    this.#certificate = bytes.slice(event.value);
    this.isResumed = event.other === 1;
    this.connected.resolve();
  }

  #settle(number: number, value: unknown): void {
    this.#pending.resolve(number, value);
    this.#checkOver();
  }

  #onCallFailed(number: number, error: QuicError, hadStream: boolean): void {
    const isOwnEnd = error.code === "CONNECTION_CLOSED" && this.why?.by === "local";
    const failure = isOwnEnd ? closedError(this.why as ConnectionClosed) : error;
    this.#pending.reject(number, hadStream ? failure : neverSent(failure));
    this.#checkOver();
  }

  #onStreamOpened(number: number, stream: number): void {
    const opened = new QuicStream(this.#bridge.outbox, stream, (ended) => this.#streams.delete(ended));
    if (this.why === undefined) this.#streams.set(stream, opened);
    else endStream(opened, closedError(this.why));
    this.#settle(number, opened);
  }

  #onFailed(error: QuicError): void {
    this.connected.reject(error);
    this.#end({ by: "lost", code: 0n, reason: "", error });
    this.#pending.rejectAll(error);
    this.#onEndpointClosed();
  }

  #onConnectionClosed(event: EventView): void {
    const by = closedBy[event.other] ?? "lost";
    const code = event.code;
    const error = event.error();
    if (by === "lost") this.#end({ by, code, reason: "", error });
    else this.#end({ by, code, reason: error.closeReason ?? "" });
    this.#checkOver();
  }

  #onEndpointClosed(): void {
    if (this.why === undefined) this.#end({ by: "local", code: 0n, reason: "" });
    else this.#end(this.why);
    this.#isToldToPeer = true;
    this.#closing?.resolve();
    this.#checkOver();
  }

  #end(why: ConnectionClosed): void {
    this.why ??= why;
    this.#endStreams(closedError(this.why));
    this.closed.resolve(this.why);
  }

  #endStreams(error: QuicError): void {
    for (const stream of [...this.#streams.values()]) endStream(stream, error);
  }

  /** Every call is answered natively, also after the end; when the last one is, nothing is left to wait for. */
  #checkOver(): void {
    if (this.why === undefined || this.#pending.size > 0 || this.#bridge.isDisposed) return;
    // A close of our own is over when the peer has been told.
    if (this.why.by === "local" && !this.#isToldToPeer) return;
    this.#bridge.dispose();
  }
}

function dialAborted(signal: AbortSignal | undefined): QuicError {
  return new QuicError("CALL_ABORTED", "the connection attempt was aborted", { cause: signal?.reason });
}

function abortedError(signal: AbortSignal): QuicError {
  return new QuicError("CALL_ABORTED", "the call was aborted before it began", { cause: signal.reason });
}
