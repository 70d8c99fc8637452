import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { TransportOptions } from "@runtara/quic";
import { type Address, formatAddress, isLoopback, parseAddress, resolveHosts } from "../address.ts";
import { ProtocolError } from "../errors.ts";
import { clientDefaults, limits } from "../limits.ts";
import type { Answer, RequestMessage } from "../protocols/calls.ts";
import { connectTimeout, fromQuicError } from "../quic-errors.ts";
import type { Transport } from "../transport/port.ts";
import { quicTransport } from "../transport/quic.ts";
import { callWithRetry, type RetryingCallOptions } from "./call-with-retry.ts";
import { ClientConnection } from "./connection.ts";
import { dialFirst } from "./dial-first.ts";
import type { RetryPolicy } from "./retry.ts";
import type { RequestSchema } from "./send-request.ts";

export interface ClientOptions {
  /** `ip:port`, `[v6]:port` or `host:port`. Default 127.0.0.1:8001. */
  readonly serverAddr?: string;
  /** The name that the server's certificate must carry. Default "localhost". */
  readonly serverName?: string;
  /**
   * Dangerous: accept any certificate, so that anybody on the way can read and change everything. Default: only for a
   * server on loopback and without `caPem`, with one warning; everywhere else certificates are verified.
   */
  readonly skipCertVerification?: boolean;
  /** Certificates, PEM, that are trusted instead of the public roots. */
  readonly caPem?: string;
  /** Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Deadline of calls that name none, except those that wait on purpose (sleep). Default 30,000; 0 = none. */
  readonly requestTimeoutMs?: number;
  /** Default 10,000; 0 = off. */
  readonly keepAliveIntervalMs?: number;
  /** The connection counts as lost after this long without a sign of life. Default 30,000; 0 = never. */
  readonly idleTimeoutMs?: number;
  /** Told once if certificates are not verified because the server is on loopback. Default: a process warning. */
  readonly onWarning?: (text: string) => void;
  /** The network. Default: QUIC; `memoryTransport()` is one without sockets, for tests. */
  readonly transport?: Transport;
  /** How `call` and `request` repeat; false = never. Default: up to 4 tries, 50 to 2,000 ms apart. */
  readonly retry?: RetryPolicy | false;
  /** How long `close` waits for acknowledgements of fire-and-forget calls. Default 2,000; 0 = not at all. */
  readonly drainTimeoutMs?: number;
}

const timeOptions = [
  "connectTimeoutMs",
  "requestTimeoutMs",
  "keepAliveIntervalMs",
  "idleTimeoutMs",
  "drainTimeoutMs",
] as const;

type Phase =
  | { readonly is: "idle" }
  | { readonly is: "connecting"; readonly connection: Promise<ClientConnection> }
  | { readonly is: "connected"; readonly connection: ClientConnection };

/**
 * A client of one server. It connects when first needed, shares one connection between all callers, and connects anew
 * with the next call after the connection is lost. `call` and `request` repeat what may be repeated; `sendRequest` on a
 * client sends everything once.
 */
export class QuicClient {
  readonly #address: Address;
  readonly #options: Required<Omit<ClientOptions, "caPem" | "skipCertVerification" | "serverAddr" | "retry">> &
    ClientOptions;
  #phase: Phase = { is: "idle" };
  #hasWarned = false;

  /** @throws ProtocolError ADDRESS_INVALID or OPTION_INVALID. Nothing is sent before the first call. */
  constructor(options: ClientOptions = {}) {
    this.#options = { onWarning: warnProcess, transport: quicTransport, ...clientDefaults, ...definedOnly(options) };
    this.#address = parseAddress(this.#options.serverAddr ?? clientDefaults.serverAddr);
    if (this.#address.port === 0) {
      throw new ProtocolError("ADDRESS_INVALID", `connect error: invalid address "${options.serverAddr}": port 0`);
    }
    for (const name of timeOptions) {
      const value = this.#options[name];
      if (Number.isSafeInteger(value) && value >= 0) continue;
      throw new ProtocolError("OPTION_INVALID", `${name} must be a whole number of milliseconds, got ${value}`);
    }
    if (options.skipCertVerification === true && options.caPem !== undefined) {
      throw new ProtocolError("OPTION_INVALID", "skipCertVerification and caPem exclude each other; leave one out");
    }
  }

  /** A client of 127.0.0.1:8001 that accepts any certificate. */
  static localhost(options: ClientOptions = {}): QuicClient {
    return new QuicClient({ skipCertVerification: true, ...options });
  }

  /**
   * The connection: the living one, the one being made, or a new one. Cheap while connected.
   *
   * @throws ProtocolError ADDRESS_INVALID, SERVER_NAME_INVALID, CONNECT_TIMEOUT, CONNECT_FAILED, TLS_FAILED, or
   *   ENDPOINT_CLOSED if `close` was called meanwhile.
   */
  connect(): Promise<ClientConnection> {
    const phase = this.#phase;
    if (phase.is === "connecting") return phase.connection;
    if (phase.is === "connected" && phase.connection.isOpen) return Promise.resolve(phase.connection);
    const connecting: Phase = {
      is: "connecting",
      connection: this.#dial().then((made) => this.#adopt(made, connecting)),
    };
    this.#phase = connecting;
    connecting.connection.catch(() => {
      if (this.#phase === connecting) this.#phase = { is: "idle" };
    });
    return connecting.connection;
  }

  /** Whether the next call can go out without connecting first. */
  get isConnected(): boolean {
    return this.#phase.is === "connected" && this.#phase.connection.isOpen;
  }

  /**
   * `sendRequest` that is repeated, with a jittered delay, if it never left, or if the connection failed and the call is
   * idempotent (status, get, list, checkpoint, register; never sleep or poll). `timeoutMs` covers all tries and the
   * connecting between them. Safe to abort: only this call ends.
   *
   * @throws ProtocolError as `sendRequest`; the last try's failure, CALL_TIMEOUT with it as `cause` if one was cut off.
   */
  call<M extends RequestMessage>(message: M, options: RetryingCallOptions = {}): Promise<Answer<M>> {
    const { requestTimeoutMs, retry } = this.#options;
    return callWithRetry(this, message, { requestTimeoutMs, retry, ...options });
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
   * Waits for the acknowledgements of fire-and-forget calls (at most `drainTimeoutMs`), then closes the connection with
   * code 0 "client closing"; other calls under way fail. A later call connects again.
   */
  async close(): Promise<void> {
    const phase = this.#phase;
    this.#phase = { is: "idle" };
    if (phase.is === "connected") {
      await phase.connection.drain(this.#options.drainTimeoutMs);
      await phase.connection.close();
    }
    // What is being made is closed by #adopt as soon as it is there; its callers are told.
    if (phase.is === "connecting") await phase.connection.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #adopt(connection: ClientConnection, phase: Phase): Promise<ClientConnection> {
    if (this.#phase === phase) {
      this.#phase = { is: "connected", connection };
      return connection;
    }
    await connection.close();
    throw new ProtocolError("ENDPOINT_CLOSED", "no connection established: the client was closed while connecting");
  }

  async #dial(): Promise<ClientConnection> {
    const { connectTimeoutMs } = this.#options;
    const hosts = await resolveHosts(this.#address.host);
    const dial = (host: string, timeoutMs: number): Promise<ClientConnection> => this.#dialOne(host, timeoutMs);
    return dialFirst(hosts, dial, (late) => void late.close().catch(() => undefined), connectTimeoutMs);
  }

  async #dialOne(host: string, timeoutMs: number): Promise<ClientConnection> {
    const { serverName, connectTimeoutMs, requestTimeoutMs, keepAliveIntervalMs, idleTimeoutMs } = this.#options;
    const transport: Partial<TransportOptions> = { keepAliveIntervalMs, idleTimeoutMs };
    const frame = { payloadBytesMax: limits.framePayloadBytesMax, typeMax: limits.frameTypeMax };
    const { port } = this.#address;
    try {
      const quic = await this.#options.transport.dial({
        host,
        port,
        serverName,
        verify: this.#verify(host),
        connectTimeoutMs: timeoutMs,
        transport,
        frame,
      });
      return new ClientConnection(quic, requestTimeoutMs);
    } catch (error) {
      const failure = fromQuicError(error);
      const timedOut = failure instanceof ProtocolError && failure.code === "CONNECT_TIMEOUT";
      throw timedOut ? connectTimeout(connectTimeoutMs, error) : failure;
    }
  }

  #verify(ip: string): "skip" | "roots" | { caPem: string } {
    const { skipCertVerification, caPem, onWarning } = this.#options;
    if (caPem !== undefined) return { caPem };
    if (skipCertVerification !== undefined) return skipCertVerification ? "skip" : "roots";
    if (!isLoopback(ip)) return "roots";
    if (!this.#hasWarned) {
      this.#hasWarned = true;
      const server = formatAddress(this.#address);
      onWarning(
        `the certificate of ${server} is not verified because it is on loopback; set caPem (RUNTARA_CA_FILE) to verify it`,
      );
    }
    return "skip";
  }
}

function warnProcess(text: string): void {
  process.emitWarning(text, { code: "RUNTARA_TLS_NOT_VERIFIED" });
}

/** So that `{ serverName: undefined }` means the default, too. */
function definedOnly<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
