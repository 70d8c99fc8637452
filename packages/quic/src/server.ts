import { Bridge, type EventSink, type EventView } from "./bridge.ts";
import { type CallOwner, IncomingCall } from "./call.ts";
import { type CertificatePair, generateSelfSigned, peerCertificate } from "./certificate.ts";
import { type ConnectionClosed, callFaults, closedBy, closedError, QuicError } from "./errors.ts";
import { hold, release } from "./hold.ts";
import { limits, serverTransport } from "./limits.ts";
import { type EndpointStats, eventKind, operation } from "./native.ts";
import {
  checkAddress,
  codeWords,
  type FrameOptions,
  frameDefaults,
  type TransportOptions,
  withDefaults,
} from "./options.ts";
import type { Outbox } from "./outbox.ts";
import { ServerConnection } from "./server-connection.ts";
import { QuicStream } from "./stream.ts";

export interface ListenOptions {
  /** An address, or a name of which the first address is used. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly certificate: CertificatePair | "self-signed";
  /** Mutual TLS: lets in only clients that show a certificate which one of these authorities has signed. */
  readonly clientCaPem?: string;
  /**
   * 32 secret bytes. A listener that starts again at the same address with the same key tells clients of the earlier one
   * at once that their connections are gone (stateless reset, RFC 9000 section 10.3); default: random.
   */
  readonly resetKey?: Uint8Array;
  readonly transport?: Partial<TransportOptions>;
  readonly frame?: Partial<FrameOptions>;
}

/** Handlers are called synchronously, many in a row. What they throw becomes an uncaught exception after the batch. */
export interface ListenHandlers {
  onConnection?(connection: ServerConnection): void;
  onConnectionClosed?(connection: ServerConnection, why: ConnectionClosed): void;
  /** Once per stream whose first frame is complete or has failed. */
  onCall(call: IncomingCall): void;
  /** After the last event of a batch: the moment for a group commit. */
  onDrained?(): void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const noBytes = new Uint8Array(0);

/**
 * Listens for connections. Resolves once the port is bound; the listener keeps the process alive until it is closed or
 * `unref` is called.
 *
 * @throws QuicError ADDRESS_INVALID, BIND_FAILED, CERTIFICATE_INVALID, ADDON_MISSING
 * @throws RangeError the reset key has another length
 */
export async function listen(options: ListenOptions, handlers: ListenHandlers): Promise<QuicListener> {
  checkAddress(options.host, options.port);
  const listener = new QuicListener(options, handlers);
  await listener.started;
  return listener;
}

/** A bound port. */
export class QuicListener {
  /** Resolves when the port is bound. @internal */
  readonly started: Promise<void>;
  #certificatePem: string;
  readonly #core: ListenerCore;

  /** @internal */
  constructor(options: ListenOptions, handlers: ListenHandlers) {
    const certificate = options.certificate === "self-signed" ? generateSelfSigned() : options.certificate;
    this.#certificatePem = certificate.certPem;
    this.#core = new ListenerCore(options, certificate, handlers);
    this.started = this.#core.started.promise;
  }

  /** The certificate that clients see, as PEM. */
  get certificatePem(): string {
    return this.#certificatePem;
  }

  /**
   * Shows another certificate in the handshakes that begin from now on; connections that stand stay. After an error the
   * old one stays.
   *
   * @throws QuicError CERTIFICATE_INVALID, ENDPOINT_CLOSED
   */
  setCertificate(certificate: CertificatePair): void {
    this.#core.setCertificate(certificate);
    this.#certificatePem = certificate.certPem;
  }

  /** The bound address. */
  get host(): string {
    return this.#core.host;
  }

  /** The bound port. */
  get port(): number {
    return this.#core.port;
  }

  /**
   * Closes all connections with this code and reason, and resolves when the port is free. Answers given before get a
   * quarter of a second to leave. Idempotent: later calls return the first one's promise.
   */
  close(code = 0, reason = ""): Promise<void> {
    return this.#core.close(code, reason);
  }

  /** Keeps the process alive (the default). */
  ref(): void {
    this.#core.keep(true);
  }

  /** Lets the process end although the listener is open. */
  unref(): void {
    this.#core.keep(false);
  }

  /** @throws QuicError ENDPOINT_CLOSED */
  stats(): EndpointStats {
    const stats = this.#core.bridge.stats();
    if (stats === undefined) throw new QuicError("ENDPOINT_CLOSED", "the listener is closed");
    return stats;
  }
}

class ListenerCore implements EventSink, CallOwner {
  readonly started: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly frame: FrameOptions;
  readonly bridge: Bridge;
  readonly outbox: Outbox;
  host: string;
  port: number;
  readonly #handlers: ListenHandlers;
  readonly #connections = new Map<number, ServerConnection>();
  readonly #watched = new Map<number, IncomingCall>();
  readonly #streams = new Map<number, { stream: QuicStream; connection: ServerConnection }>();
  readonly #closed = Promise.withResolvers<void>();
  #closing: ConnectionClosed | undefined;
  #isHolding = false;
  #isListening = false;

  constructor(options: ListenOptions, certificate: CertificatePair, handlers: ListenHandlers) {
    this.host = options.host;
    this.port = options.port;
    this.#handlers = handlers;
    this.frame = withDefaults(frameDefaults, options.frame);
    const { host, port, clientCaPem } = options;
    const resetKey = resetKeyDigits(options.resetKey);
    const transport = withDefaults<TransportOptions>(serverTransport, options.transport);
    const native = { host, port, ...certificate, clientCaPem, resetKey, transport, frame: this.frame };
    this.bridge = new Bridge(this, (addon, ready) => addon.serverListen(native, ready));
    this.outbox = this.bridge.outbox;
    this.keep(true);
  }

  setCertificate({ certPem, keyPem }: CertificatePair): void {
    let isSet: boolean;
    try {
      isSet = this.bridge.setCertificate(certPem, keyPem);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new QuicError("CERTIFICATE_INVALID", `${reason}; the listener keeps the one it has`, { cause });
    }
    if (!isSet) throw new QuicError("ENDPOINT_CLOSED", "the listener is closed");
  }

  keep(isHolding: boolean): void {
    if (isHolding === this.#isHolding || (isHolding && this.bridge.isDisposed)) return;
    this.#isHolding = isHolding;
    if (isHolding) hold();
    else release();
  }

  close(code: number, reason: string): Promise<void> {
    const [low, high] = codeWords(code);
    if (this.#closing === undefined && !this.bridge.isDisposed) {
      this.#closing = { by: "local", code: BigInt(code), reason };
      this.keep(true);
      this.outbox.bytes(operation.endpointClose, 0, encoder.encode(reason), low, high);
    }
    return this.#closed.promise;
  }

  watch(number: number, call: IncomingCall): void {
    if (this.#watched.has(number)) return;
    this.#watched.set(number, call);
    this.outbox.plain(operation.watch, number);
  }

  unwatch(number: number): void {
    this.#watched.delete(number);
  }

  addStream(number: number, connection: ServerConnection): QuicStream {
    const stream = new QuicStream(this.outbox, number, (ended) => this.#streams.delete(ended));
    if (connection.isOpen) this.#streams.set(number, { stream, connection });
    else endStream(stream, new QuicError("CONNECTION_LOST", "the connection is gone"));
    return stream;
  }

  onDrained(): void {
    if (this.#handlers.onDrained !== undefined) this.#run(() => this.#handlers.onDrained?.());
  }

  onEvent(kind: number, subject: number, event: EventView): void {
    switch (kind) {
      case eventKind.call:
        this.#onCall(subject, event);
        break;
      case eventKind.callFault:
        this.#onFault(subject, event);
        break;
      case eventKind.callAborted:
        this.#run(() => this.#watched.get(subject)?.abort());
        break;
      case eventKind.connectionOpened:
        this.#onConnection(subject, event);
        break;
      case eventKind.connectionClosed:
        this.#onConnectionClosed(subject, event);
        break;
      case eventKind.listening:
        this.host = event.text();
        this.port = event.value;
        this.#isListening = true;
        this.started.resolve();
        break;
      case eventKind.endpointFailed:
        this.#onFailed(event.error());
        break;
      case eventKind.endpointClosed:
        this.#onClosed();
        break;
      default:
        this.#onStreamEvent(kind, subject, event);
        break;
    }
  }

  #onStreamEvent(kind: number, number: number, event: EventView): void {
    const entry = this.#streams.get(number);
    const why = entry?.connection.closedHere ?? this.#closing;
    // Natively a close of our own has neither code nor reason.
    if (entry !== undefined && why !== undefined) endStream(entry.stream, closedError(why));
    onStreamEvent(kind, entry?.stream, event);
  }

  #onCall(number: number, event: EventView): void {
    // Taken first: large values come in the order of the records.
    const payload = event.takeBytes();
    const connection = this.#connections.get(event.other);
    if (connection === undefined) {
      this.outbox.plain(operation.finish, number);
      return;
    }
    const call = new IncomingCall(this, number, connection, event.value, payload, undefined, 0);
    try {
      this.#handlers.onCall(call);
    } catch (error) {
      throwLater(error);
    }
  }

  #onFault(number: number, event: EventView): void {
    const connection = this.#connections.get(event.other);
    if (connection === undefined) {
      this.outbox.plain(operation.finish, number);
      return;
    }
    const fault = callFaults[event.value];
    const call = new IncomingCall(this, number, connection, 0, noBytes, fault, event.codeNumber);
    this.#run(() => this.#handlers.onCall(call));
  }

  #onConnection(id: number, event: EventView): void {
    const bytes = event.takeBytes();
    // Behind the address comes the certificate, if there is one.
    const address = decoder.decode(bytes.subarray(0, event.value));
    const certificate = bytes.length > event.value ? peerCertificate(bytes.slice(event.value)) : undefined;
    const connection = new ServerConnection(this.bridge, id, address, certificate);
    this.#connections.set(id, connection);
    this.#run(() => this.#handlers.onConnection?.(connection));
  }

  #onConnectionClosed(id: number, event: EventView): void {
    const by = closedBy[event.other] ?? "lost";
    const code = event.code;
    const error = event.error();
    const reason = by === "peer" ? (error.closeReason ?? "") : "";
    this.#endConnection(id, by === "lost" ? { by, code, reason, error } : { by, code, reason });
  }

  #endConnection(id: number, ended: ConnectionClosed): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    this.#connections.delete(id);
    const why = connection.end(ended.by === "local" && this.#closing !== undefined ? this.#closing : ended);
    for (const entry of [...this.#streams.values()]) {
      if (entry.connection === connection) endStream(entry.stream, closedError(why));
    }
    this.#run(() => this.#handlers.onConnectionClosed?.(connection, why));
  }

  #onFailed(error: QuicError): void {
    this.started.reject(error);
    this.#onClosed();
    // Once it listens nobody waits for an error, so it must not pass unseen.
    if (this.#isListening) throwLater(error);
  }

  #onClosed(): void {
    const why = this.#closing ?? { by: "local", code: 0n, reason: "" };
    for (const id of [...this.#connections.keys()]) this.#endConnection(id, why);
    this.bridge.dispose();
    this.keep(false);
    this.#closed.resolve();
  }

  #run(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      throwLater(error);
    }
  }
}

function resetKeyDigits(key: Uint8Array | undefined): string | undefined {
  if (key === undefined) return undefined;
  if (key.length !== limits.resetKeyBytes) {
    throw new RangeError(
      `the reset key has ${key.length} bytes; give ${limits.resetKeyBytes} random ones and keep them`,
    );
  }
  return Buffer.from(key).toString("hex");
}

/** Passes a stream's event on; events of a stream that has ended here are late and mean nothing. */
export function onStreamEvent(kind: number, stream: QuicStream | undefined, event: EventView): void {
  switch (kind) {
    case eventKind.streamData: {
      const bytes = event.takeBytes();
      stream?.onData(bytes);
      break;
    }
    case eventKind.streamEnd:
      stream?.onReadEnd();
      break;
    case eventKind.streamReadFailed:
      stream?.onReadEnd(event.error());
      break;
    case eventKind.streamWritten:
      stream?.onWritten(event.value);
      break;
    case eventKind.streamWriteFailed:
      stream?.onWriteEnd(event.error());
      break;
    case eventKind.streamFinished:
      stream?.onWriteEnd();
      break;
    default:
      throw new QuicError(
        "ADDON_MISSING",
        `the addon sends event ${kind}, which is unknown here; run \`npm run setup\``,
      );
  }
}

export function endStream(stream: QuicStream, error: QuicError): void {
  stream.onReadEnd(error);
  stream.onWriteEnd(error);
}

/** One handler's mistake must not cost the other events of the batch. */
function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
