import { type ClientConnection, isProtocolError, ProtocolError, QuicClient } from "@runtara/protocol";
import { limits } from "../limits.ts";
import type { ServerAccess } from "../wire/server-access.ts";
import { silenceLimits } from "../wire/silence.ts";
import { isTransient } from "../wire/transience.ts";
import { reconnectDelayMs } from "./back-off.ts";
import { setupError, unreachable } from "./setup-error.ts";

export interface LinkSettings {
  /** Cores on one database; one is used until it fails, then the next. At least one. */
  readonly servers: readonly [string, ...string[]];
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

interface Connected {
  readonly is: "connected";
  readonly client: QuicClient;
  readonly connection: ClientConnection;
}

type Phase =
  | { readonly is: "idle" }
  | Connected
  | { readonly is: "connecting"; readonly connected: Promise<void> }
  | { readonly is: "closed" };

/** The way to the core, over as many connections as that takes: each one that is lost is replaced, with pauses, until the link is closed. */
export class Link {
  readonly #settings: LinkSettings;
  readonly #tell: (event: LinkEvent) => void;
  readonly #closing = new AbortController();
  readonly #returns = new Set<() => void>();
  #phase: Phase = { is: "idle" };
  /** Counts the servers that were tried. */
  #turn = 0;
  #isWarned = false;

  /** @throws ConfigError for settings that can't be used */
  constructor(settings: LinkSettings, tell: (event: LinkEvent) => void) {
    this.#settings = settings;
    this.#tell = tell;
    for (const server of settings.servers) this.#newClient(server, settings.connectTimeoutMs);
  }

  /** The first connection. @throws ConnectionError when no core answers within the connect time-out; ConfigError */
  async connect(): Promise<void> {
    const { servers, connectTimeoutMs } = this.#settings;
    const deadline = Date.now() + connectTimeoutMs;
    for (let attempt = 1; ; attempt++) {
      const server = this.#server;
      try {
        await this.#dial(Math.min(this.#dialTimeoutMs(attempt), Math.max(1, deadline - Date.now())));
        return;
      } catch (error) {
        const refusal = asProtocolError(error);
        if (!isTransient(refusal) || refusal.code === "TLS_FAILED") throw setupError(server, refusal);
        this.#turn++;
        const delayMs = reconnectDelayMs(attempt, Math.random());
        if (Date.now() + delayMs >= deadline) throw unreachable(servers, connectTimeoutMs, refusal);
        await this.pause(delayMs);
      }
    }
  }

  /** Makes a call until the core answers. Only answers that are refusals (code RPC) and mistakes of the caller are thrown.
   *  @throws ProtocolError; LinkClosed */
  async persist<T>(call: (connection: ClientConnection) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const connection = await this.connection();
      try {
        return await call(connection);
      } catch (error) {
        const refusal = asProtocolError(error);
        this.#throwIfClosed();
        if (!isTransient(refusal)) throw refusal;
        // With a connection that lives, only this call went wrong.
        if (connection.isOpen) await this.pause(reconnectDelayMs(attempt, Math.random()));
      }
    }
  }

  /** The connection in use, as soon as there is one again. @throws LinkClosed */
  async connection(): Promise<ClientConnection> {
    for (;;) {
      const now = this.connectionNow;
      if (now) return now;
      this.#throwIfClosed();
      const phase = this.#phase;
      if (phase.is !== "connecting") throw new ProtocolError("CONNECTION_LOST", "nothing has connected this link yet");
      await phase.connected;
    }
  }

  /** The connection in use; undefined while the core is away. @throws LinkClosed */
  get connectionNow(): ClientConnection | undefined {
    const phase = this.#phase;
    if (phase.is === "closed") throw new LinkClosed();
    if (phase.is !== "connected") return undefined;
    if (phase.connection.isOpen) return phase.connection;
    this.#reconnect(phase, new ProtocolError("CONNECTION_LOST", "the connection to the core is lost"));
    return undefined;
  }

  /** The client of the connection in use; undefined while the core is away. */
  get clientNow(): QuicClient | undefined {
    return this.#phase.is === "connected" ? this.#phase.client : undefined;
  }

  /** Calls back whenever a lost connection has been replaced. @returns the unsubscribing */
  onReconnected(listener: () => void): () => void {
    this.#returns.add(listener);
    return () => void this.#returns.delete(listener);
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

  get #server(): string {
    const { servers } = this.#settings;
    return servers[this.#turn % servers.length] ?? servers[0];
  }

  #throwIfClosed(): void {
    if (this.#phase.is === "closed") throw new LinkClosed();
  }

  /** One reconnecting for all calls that find the connection gone. */
  #reconnect(lost: Connected, error: Error): void {
    if (this.#phase !== lost) return;
    this.#turn++;
    const connected = this.#dialUntilConnected(error);
    this.#phase = { is: "connecting", connected };
    connected.catch(() => {});
    void lost.client.close().catch(() => {});
  }

  async #dialUntilConnected(cause: Error): Promise<void> {
    const since = Date.now();
    let error = cause;
    for (let attempt = 1; ; attempt++) {
      const delayMs = reconnectDelayMs(attempt, Math.random());
      this.#tell({ type: "reconnecting", attempt, delayMs, error });
      await this.pause(delayMs);
      try {
        await this.#dial(Math.min(this.#dialTimeoutMs(attempt), this.#settings.connectTimeoutMs));
        this.#tell({ type: "reconnected", afterMs: Date.now() - since });
        for (const listener of this.#returns) listener();
        return;
      } catch (failure) {
        this.#throwIfClosed();
        this.#turn++;
        error = failure as Error;
      }
    }
  }

  /** A client of its own for each try, because the time it may take differs. */
  async #dial(timeoutMs: number): Promise<void> {
    const client = this.#newClient(this.#server, Math.ceil(timeoutMs));
    const connection = await client.connect();
    if (this.#phase.is === "closed") {
      await client.close();
      throw new LinkClosed();
    }
    const phase: Connected = { is: "connected", client, connection };
    this.#phase = phase;
    void connection.closed.then(() => {
      if (!this.isClosed) this.#reconnect(phase, new ProtocolError("CONNECTION_LOST", "the core has gone away"));
    });
  }

  #newClient(server: string, connectTimeoutMs: number): QuicClient {
    const { serverName, access, requestTimeoutMs } = this.#settings;
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

  /** A core that is down does not answer at all, so the first tries are short: the next one finds it soon after its start. */
  #dialTimeoutMs(attempt: number): number {
    const rounds = Math.floor(attempt / (4 * this.#settings.servers.length));
    return limits.dialTimeoutMsMin * 2 ** Math.min(rounds, 10);
  }
}

function asProtocolError(error: unknown): ProtocolError {
  if (isProtocolError(error)) return error;
  throw error;
}
