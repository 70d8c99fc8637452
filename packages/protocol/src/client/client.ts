import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { TransportOptions } from "@runtara/quic";
import { resolveHosts } from "../address.ts";
import { encodeRequest } from "../envelopes.ts";
import { isProtocolError, ProtocolError } from "../errors.ts";
import { limits, retryDefaults } from "../limits.ts";
import { type Answer, callShape, type RequestMessage } from "../protocols/calls.ts";
import { fromQuicError } from "../quic-errors.ts";
import type { LinkStats } from "../transport/port.ts";
import { Backoff } from "./backoff.ts";
import { callWithRetry, type RetryingCallOptions } from "./call-with-retry.ts";
import { ClientConnection } from "./connection.ts";
import { destination, dialFailure } from "./destination.ts";
import { dialFirst } from "./dial-first.ts";
import { LeaseKeeper, type LeaseKeeperOptions } from "./lease-keeper.ts";
import { type ClientOptions, type ClientSettings, clientSettings, verifyFor } from "./options.ts";
import type { RequestSchema } from "./send-request.ts";
import { settledWithin } from "./settled-within.ts";
import { checkTimeMs } from "./time-option.ts";
import { unlessGivenUp } from "./unless-given-up.ts";

/** A client's connection now; what its network cannot tell is undefined. */
export interface ClientStats extends LinkStats {
  /** `quic`, `http2`, `memory`: what the connection really goes over. */
  readonly transport: string;
  /** Connections of this client before this one. */
  readonly reconnects: number;
}

type Phase =
  | { readonly is: "idle" }
  | { readonly is: "connecting"; readonly connection: Promise<ClientConnection>; readonly abort: AbortController }
  | { readonly is: "connected"; readonly connection: ClientConnection };

/**
 * A client of one server. It connects when first needed, shares one connection between all callers, and connects anew
 * with the next call after the connection is lost. `call` and `request` repeat what may be repeated; `sendRequest` on a
 * client sends everything once.
 */
export class QuicClient {
  readonly #settings: ClientSettings;
  readonly #backoff: Backoff;
  /** Calls without an answer that are not acknowledged yet, those between two tries included. */
  readonly #posted = new Set<Promise<unknown>>();
  #phase: Phase = { is: "idle" };
  #connections = 0;
  #hasWarned = false;
  #closeCount = 0;
  #keeper: LeaseKeeper | undefined;

  /**
   * Nothing is sent before the first call.
   *
   * @throws ProtocolError ADDRESS_INVALID, OPTION_INVALID, CERTIFICATE_INVALID, SERVER_NAME_INVALID
   */
  constructor(options: ClientOptions = {}) {
    this.#settings = clientSettings(options);
    this.#backoff = new Backoff(this.#settings.retry || retryDefaults);
  }

  /** A client of 127.0.0.1:8001 that accepts any certificate, unless the options say what to trust. */
  static localhost(options: ClientOptions = {}): QuicClient {
    const { caPem, serverFingerprint, systemRoots } = options;
    const isTrusting = caPem === undefined && serverFingerprint === undefined && systemRoots !== true;
    return new QuicClient({ ...(isTrusting ? { dangerouslySkipVerification: true } : {}), ...options });
  }

  /**
   * The connection: the living one, the one being made, or a new one. Cheap while connected. After failures it waits, a
   * little longer each time, before it tries again; all callers share that attempt.
   *
   * @throws ProtocolError ADDRESS_INVALID, SERVER_NAME_INVALID, CERTIFICATE_INVALID, CONNECT_TIMEOUT, CONNECT_FAILED, TLS_FAILED, or
   *   ENDPOINT_CLOSED if `close` was called meanwhile.
   */
  connect(): Promise<ClientConnection> {
    const phase = this.#phase;
    if (phase.is === "connecting") return phase.connection;
    if (phase.is === "connected" && phase.connection.isOpen) return Promise.resolve(phase.connection);
    const abort = new AbortController();
    const connecting: Phase = {
      is: "connecting",
      abort,
      connection: this.#dial(abort.signal).then((made) => this.#adopt(made, connecting)),
    };
    this.#phase = connecting;
    connecting.connection.catch(() => {
      if (this.#phase === connecting) this.#phase = { is: "idle" };
    });
    return connecting.connection;
  }

  /** For calls that repeat: how often `close` was called. */
  get closeCount(): number {
    return this.#closeCount;
  }

  /** Whether the next call can go out without connecting first. */
  get isConnected(): boolean {
    return this.#phase.is === "connected" && this.#phase.connection.isOpen;
  }

  /**
   * `sendRequest` that is repeated, with a jittered delay, if it never left, or if the connection failed and the call is
   * idempotent (status, get, list, checkpoint, register; never sleep or poll), or if the server refused it and says that
   * it may be repeated (overloaded, draining), after the delay that it asks for. `timeoutMs` covers all tries and the
   * connecting between them. Safe to abort: only this call ends.
   *
   * @throws ProtocolError as `sendRequest`; the last try's failure, CALL_TIMEOUT with it as `cause` if one was cut off.
   */
  call<M extends RequestMessage>(message: M, options: RetryingCallOptions = {}): Promise<Answer<M>> {
    const { requestTimeoutMs, retry, address, transport } = this.#settings;
    const made = callWithRetry(this, message, {
      ...options,
      requestTimeoutMs,
      usualRetry: retry,
      destination: () => destination(address, transport.name),
    });
    if (callShape(message).response === undefined) this.#track(made);
    return made;
  }

  /** `call` of a message that is made on the spot. */
  request<Schema extends DescMessage>(
    schema: RequestSchema<Schema>,
    init: MessageInitShape<Schema>,
    options: RetryingCallOptions = {},
  ): Promise<Answer<MessageShape<Schema> & RequestMessage>> {
    return this.call(create(schema as Schema, init) as MessageShape<Schema> & RequestMessage, options);
  }

  /**
   * Resolves when the server has acknowledged every call without an answer (event batch, signal ack, retry attempt) that
   * was under way at this moment. Nothing is cut off if it fails.
   *
   * @throws ProtocolError the first failure among them, or CALL_TIMEOUT after `timeoutMs`; default and 0 = no time-out.
   */
  async flush(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs = 0 } = options;
    checkTimeMs("timeoutMs", timeoutMs);
    if (await settledWithin(Promise.all(this.#unacknowledged()), timeoutMs)) return;
    throw new ProtocolError("CALL_TIMEOUT", `read error: not everything was acknowledged within ${timeoutMs} ms`);
  }

  /**
   * Has this request sent again and again by the network's own threads while the event loop is too busy to send anything: a `renew_lease`, so that a
   * worker which computes for long does not lose its work. To be told every second or so that the loop lives (`sign`). It goes on over
   * later connections of this client; a client has one, a later one takes its place.
   *
   * @throws ProtocolError MESSAGE_UNKNOWN, ENCODE_FAILED, FRAME_TOO_LARGE, OPTION_INVALID: a time is none, or less than 1 ms
   */
  keepLease(message: RequestMessage, options: LeaseKeeperOptions): LeaseKeeper {
    const keeper = new LeaseKeeper(encodeRequest(message), options);
    this.#keeper?.end();
    if (this.#phase.is === "connected") keeper.attach(this.#phase.connection);
    this.#keeper = keeper;
    return keeper;
  }

  /** Of the connection in use; undefined while there is none. */
  stats(): ClientStats | undefined {
    if (this.#phase.is !== "connected" || !this.#phase.connection.isOpen) return undefined;
    const { connection } = this.#phase;
    return { ...connection.stats(), transport: connection.transportName, reconnects: this.#connections - 1 };
  }

  /**
   * Waits for the acknowledgements of fire-and-forget calls (at most `drainTimeoutMs`), then closes the connection with
   * code 0 "client closing"; other calls under way fail. A later call connects again.
   */
  async close(): Promise<void> {
    const { drainTimeoutMs } = this.#settings;
    if (drainTimeoutMs > 0) await settledWithin(Promise.allSettled(this.#unacknowledged()), drainTimeoutMs);
    this.#closeCount++;
    const phase = this.#phase;
    this.#phase = { is: "idle" };
    if (phase.is === "connected") await phase.connection.close();
    if (phase.is === "connecting") {
      phase.abort.abort();
      await phase.connection.catch(() => undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #unacknowledged(): Promise<unknown>[] {
    return [...this.#posted, ...(this.#phase.is === "connected" ? this.#phase.connection.unacknowledged : [])];
  }

  #track(call: Promise<unknown>): void {
    this.#posted.add(call);
    const done = (): void => void this.#posted.delete(call);
    call.then(done, done);
  }

  async #adopt(connection: ClientConnection, phase: Phase): Promise<ClientConnection> {
    if (this.#phase === phase) {
      this.#connections++;
      this.#phase = { is: "connected", connection };
      this.#keeper?.attach(connection);
      return connection;
    }
    await connection.close();
    throw closedWhileConnecting();
  }

  async #dial(signal: AbortSignal): Promise<ClientConnection> {
    const { connectTimeoutMs } = this.#settings;
    try {
      await this.#backoff.wait(signal);
      const startedAt = performance.now();
      const hosts = await this.#resolve(signal);
      // Never 0, which would mean none.
      const leftMs = connectTimeoutMs && Math.max(1, connectTimeoutMs - Math.floor(performance.now() - startedAt));
      const discard = (late: ClientConnection): void => void late.close().catch(() => undefined);
      const made = await dialFirst(hosts, (...one) => this.#dialOne(...one), discard, leftMs, signal);
      this.#backoff.succeeded();
      return made;
    } catch (error) {
      if (signal.aborted) throw closedWhileConnecting();
      this.#backoff.failed();
      throw error;
    }
  }

  /** The addresses behind the name; a resolver that does not answer is part of the time-out. */
  async #resolve(signal: AbortSignal): Promise<string[]> {
    const { address, connectTimeoutMs: timeoutMs } = this.#settings;
    try {
      return await unlessGivenUp(() => resolveHosts(address.host), { signal, timeoutMs }, "looking up the address");
    } catch (cause) {
      if (!isProtocolError(cause) || cause.code !== "CALL_TIMEOUT") throw cause;
      const message = `connection timed out after ${timeoutMs}ms: no answer from DNS for ${address.host}`;
      throw new ProtocolError("CONNECT_TIMEOUT", message, { cause });
    }
  }

  async #dialOne(host: string, timeoutMs: number, signal: AbortSignal): Promise<ClientConnection> {
    const settings = this.#settings;
    const { serverName, connectTimeoutMs, requestTimeoutMs, keepAliveIntervalMs, idleTimeoutMs, certificate } =
      settings;
    const transport: Partial<TransportOptions> = { keepAliveIntervalMs, idleTimeoutMs };
    const frame = { payloadBytesMax: limits.framePayloadBytesMax, typeMax: limits.frameTypeMax };
    try {
      const made = await settings.transport.dial({
        host,
        port: settings.address.port,
        serverName,
        verify: verifyFor(settings, host, (text) => this.#warnOnce(text)),
        ...(certificate === undefined ? {} : { certificate }),
        connectTimeoutMs: timeoutMs,
        transport,
        frame,
        signal,
      });
      return new ClientConnection(made, requestTimeoutMs);
    } catch (error) {
      const where = destination(settings.address, settings.transport.name, host);
      throw dialFailure(fromQuicError(error), connectTimeoutMs, where);
    }
  }

  #warnOnce(text: string): void {
    if (!this.#hasWarned) this.#settings.onWarning(text);
    this.#hasWarned = true;
  }
}

function closedWhileConnecting(): ProtocolError {
  return new ProtocolError("ENDPOINT_CLOSED", "no connection established: the client was closed while connecting");
}
