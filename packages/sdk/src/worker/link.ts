import { isProtocolError, ProtocolError, QuicClient, type TlsErrorCode } from "@runtara/protocol";
import { ConfigError, ConnectionError } from "../errors.ts";
import { limits } from "../limits.ts";
import { InstanceCalls } from "../wire/calls.ts";
import type { ServerAccess } from "../wire/server-access.ts";
import { silenceLimits } from "../wire/silence.ts";
import { isTransient } from "../wire/transience.ts";
import { reconnectDelayMs } from "./back-off.ts";

export interface LinkSettings {
  readonly server: string;
  readonly serverName: string;
  readonly access: ServerAccess;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** What the link tells: tries while the core is away, and its return. */
export type LinkEvent =
  | { type: "reconnecting"; attempt: number; delayMs: number; error: Error }
  | { type: "reconnected"; afterMs: number }
  | { type: "warning"; message: string };

/** The link was closed while a call was waiting; nobody is left to be told. */
export class LinkClosed extends Error {
  override readonly name = "LinkClosed";
}

type Phase =
  | { readonly is: "connected"; readonly client: QuicClient }
  | { readonly is: "connecting"; readonly connected: Promise<void> }
  | { readonly is: "closed" };

/** The way to the core. A call is repeated until it is answered, over as many connections as that takes. */
export class Link {
  readonly calls: InstanceCalls;
  readonly #settings: LinkSettings;
  readonly #tell: (event: LinkEvent) => void;
  readonly #closing = new AbortController();
  #phase: Phase;
  #isWarned = false;

  /** Connects lazily, but for {@link connect}. @throws ConfigError for settings that can't be used */
  constructor(instanceId: string, settings: LinkSettings, tell: (event: LinkEvent) => void) {
    this.#settings = settings;
    this.#tell = tell;
    this.#phase = { is: "connected", client: this.#newClient(settings.connectTimeoutMs) };
    this.calls = new InstanceCalls(instanceId, () => this.#client());
  }

  /** The first connection. @throws ConnectionError when the core does not answer within the connect time-out; ConfigError */
  async connect(): Promise<void> {
    const { server, connectTimeoutMs } = this.#settings;
    const deadline = Date.now() + connectTimeoutMs;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#dial(Math.min(dialTimeoutMs(attempt), Math.max(1, deadline - Date.now())));
        return;
      } catch (error) {
        const refusal = asProtocolError(error);
        if (!isTransient(refusal) || refusal.code === "TLS_FAILED") throw setupError(server, refusal);
        const delayMs = reconnectDelayMs(attempt, Math.random());
        if (Date.now() + delayMs >= deadline) {
          throw new ConnectionError(
            `no core answers at ${server} within ${connectTimeoutMs} ms (${refusal.message}); start one with: npx runtara core`,
            { cause: refusal },
          );
        }
        await this.pause(delayMs);
      }
    }
  }

  /** Makes a call until the core answers. Only answers that are refusals (code RPC) and mistakes of the caller are thrown.
   *  @throws ProtocolError; LinkClosed */
  async persist<T>(call: (calls: InstanceCalls) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      await this.#connected();
      const { client } = this.#phase as Phase & { is: "connected" };
      try {
        return await call(this.calls);
      } catch (error) {
        const refusal = asProtocolError(error);
        this.#throwIfClosed();
        if (!isTransient(refusal)) throw refusal;
        // With a connection that lives, only this call went wrong.
        if (!client.isConnected) this.#reconnect(client, refusal);
        else await this.pause(reconnectDelayMs(attempt, Math.random()));
      }
    }
  }

  /** Waits, unless the link is closed meanwhile. @throws LinkClosed */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = this.#closing;
      const stop = (): void => {
        clearTimeout(timer);
        reject(new LinkClosed());
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", stop);
        resolve();
      }, delayMs);
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
  }

  /** Closes the connection; calls that wait reject with LinkClosed. */
  async close(): Promise<void> {
    const phase = this.#phase;
    this.#phase = { is: "closed" };
    this.#closing.abort();
    if (phase.is === "connected") await phase.client.close();
    if (phase.is === "connecting") await phase.connected.catch(() => undefined);
  }

  get isClosed(): boolean {
    return this.#phase.is === "closed";
  }

  #client(): QuicClient {
    const phase = this.#phase;
    if (phase.is === "connected") return phase.client;
    if (phase.is === "closed") throw new LinkClosed();
    throw new ProtocolError("CONNECTION_LOST", "the core is away");
  }

  async #connected(): Promise<void> {
    for (;;) {
      const phase = this.#phase;
      if (phase.is === "connected") return;
      this.#throwIfClosed();
      if (phase.is === "connecting") await phase.connected;
    }
  }

  #throwIfClosed(): void {
    if (this.#phase.is === "closed") throw new LinkClosed();
  }

  /** One reconnecting for all calls that find the connection gone. */
  #reconnect(lost: QuicClient, error: Error): void {
    if (this.#phase.is !== "connected" || this.#phase.client !== lost) return;
    const connected = this.#dialUntilConnected(error);
    this.#phase = { is: "connecting", connected };
    connected.catch(() => {});
    void lost.close().catch(() => {});
  }

  async #dialUntilConnected(cause: Error): Promise<void> {
    const since = Date.now();
    let error = cause;
    for (let attempt = 1; ; attempt++) {
      const delayMs = reconnectDelayMs(attempt, Math.random());
      this.#tell({ type: "reconnecting", attempt, delayMs, error });
      await this.pause(delayMs);
      try {
        await this.#dial(Math.min(dialTimeoutMs(attempt), this.#settings.connectTimeoutMs));
        this.#tell({ type: "reconnected", afterMs: Date.now() - since });
        return;
      } catch (failure) {
        this.#throwIfClosed();
        error = failure as Error;
      }
    }
  }

  /** A client of its own for each try, because the time it may take differs. */
  async #dial(timeoutMs: number): Promise<void> {
    const client = this.#newClient(Math.ceil(timeoutMs));
    await client.connect();
    if (this.#phase.is === "closed") {
      await client.close();
      throw new LinkClosed();
    }
    this.#phase = { is: "connected", client };
  }

  #newClient(connectTimeoutMs: number): QuicClient {
    const { server, serverName, access, requestTimeoutMs } = this.#settings;
    try {
      return new QuicClient({
        serverAddr: server,
        serverName,
        ...access,
        connectTimeoutMs,
        requestTimeoutMs,
        ...silenceLimits(server),
        onWarning: (message) => {
          if (!this.#isWarned) this.#tell({ type: "warning", message });
          this.#isWarned = true;
        },
      });
    } catch (error) {
      throw setupError(server, asProtocolError(error));
    }
  }
}

/** A core that is down does not answer at all, so the first tries are short: the next one finds it soon after its start. */
function dialTimeoutMs(attempt: number): number {
  return limits.dialTimeoutMsMin * 2 ** Math.min(Math.floor(attempt / 4), 10);
}

const caFile = "RUNTARA_CA_FILE to the certificate the core shows or that of its authority";

/** Remedies in terms of the environment; the protocol's own text says whose certificate it is about. */
const tlsAdvice: Readonly<Record<TlsErrorCode | "TLS_FAILED", string>> = {
  TLS_NAME_MISMATCH: "set RUNTARA_SERVER_NAME to a name in the core's certificate",
  TLS_CERTIFICATE_UNKNOWN: `for the core's certificate set ${caFile}, or RUNTARA_SERVER_FINGERPRINT; for this client's set RUNTARA_CERT_FILE to one that the core's --client-ca has signed`,
  TLS_CERTIFICATE_EXPIRED:
    "make a new one with runtara cert server (the core's) or runtara cert client (RUNTARA_CERT_FILE)",
  TLS_CLIENT_CERTIFICATE_REQUIRED: "set RUNTARA_CERT_FILE and RUNTARA_KEY_FILE; runtara cert client makes them",
  TLS_FAILED: `set ${caFile}, or RUNTARA_SERVER_NAME to a name in it`,
};

function setupError(server: string, error: ProtocolError): ConfigError | ConnectionError {
  if (error.code === "TLS_FAILED") {
    const { tlsCode = error.code } = error;
    const advice = tlsAdvice[tlsCode];
    const text = `no secure connection to the core at ${server} (${tlsCode}): ${error.message}; ${advice}`;
    return new ConnectionError(text, { cause: error });
  }
  return new ConfigError(`the connection to ${JSON.stringify(server)} can't be set up: ${error.message}`, {
    cause: error,
  });
}

function asProtocolError(error: unknown): ProtocolError {
  if (isProtocolError(error)) return error;
  throw error;
}
