import { QuicServer, type ServerCall, type ServerTransport } from "@runtara/protocol";
import { type Logger, silentLogger } from "@runtara/server-kit";
import { openStore, type Store } from "@runtara/store";
import { type Core, createCore } from "../core.ts";
import { limits } from "../limits.ts";
import { CallDispatcher } from "./call-dispatcher.ts";
import { reportFault } from "./faults.ts";
import { RepeatedLog } from "./repeated-log.ts";

export interface CoreServerOptions {
  /** The database to open; the server closes it. Give this or `store`. */
  readonly databaseUrl?: string;
  /** A store that is already open; it stays open when the server closes. */
  readonly store?: Store;
  /** `ip:port`; port 0 lets the system choose. */
  readonly bindAddr: string;
  readonly transport?: ServerTransport;
  /** Default: a self-signed one, made at each start. */
  readonly certificate?: { readonly certPem: string; readonly keyPem: string };
  readonly logger?: Logger;
}

export interface CoreServer {
  /** Where it really listens, `ip:port`. */
  readonly address: string;
  /** What clients may verify the server with. */
  readonly certificatePem: string;
  /**
   * Ends the server: takes no more calls, cuts open sleeps (their records stay), waits for calls that are being carried out, closes
   * all connections with code 0 `server closing`. Idempotent. `drainMs`: longest wait, default 5,000.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

/**
 * Starts a core: when it resolves, the database is open and connections are accepted. Rejects with `StoreError` (database) or
 * `ProtocolError` (address, port, certificate), whose message is one line; nothing is left running or behind then.
 */
export async function startCoreServer(options: CoreServerOptions): Promise<CoreServer> {
  const logger = options.logger ?? silentLogger;
  // The port comes first, so that a start which fails on it has not created a database. What arrives meanwhile waits.
  let running: Running | undefined;
  const early: ServerCall[] = [];
  const log = new RepeatedLog(logger);
  const server = await QuicServer.listen({
    ...options.transport,
    ...(options.certificate === undefined ? {} : { certificate: options.certificate }),
    bindAddr: options.bindAddr,
    onCall: (call) => (running === undefined ? early.push(call) : running.take(call)),
    // Everything that one drain brought is one group commit; a lone call is committed at once.
    onDrained: () => running?.store.flush(),
    onFault: (fault) => reportFault(log, fault),
  });
  try {
    running = new Running(options.store ?? (await openStore(databaseUrlOf(options))), log);
  } catch (error) {
    await server.close();
    throw error;
  }
  for (const call of early) running.take(call);
  logger.info({ address: server.address }, "core listens");
  return handleOf(server, running, options, logger);
}

function databaseUrlOf({ databaseUrl }: CoreServerOptions): string {
  if (databaseUrl === undefined) throw new TypeError("startCoreServer needs a databaseUrl or a store");
  return databaseUrl;
}

/** The services at work on a store. */
class Running {
  readonly store: Store;
  readonly #core: Core;
  readonly #dispatcher: CallDispatcher;
  #draining = false;

  constructor(store: Store, log: RepeatedLog) {
    this.store = store;
    this.#core = createCore({ store });
    this.#dispatcher = new CallDispatcher(this.#core, log);
  }

  /** Calls that come too late stay unanswered: their connection closes in a moment. */
  take(call: ServerCall): void {
    if (!this.#draining) this.#dispatcher.dispatch(call);
  }

  /** Takes no more calls, cuts sleeps, and waits until every other call has its answer, at most `drainMs`. */
  async drain(drainMs: number): Promise<void> {
    this.#draining = true;
    this.#core.sleeps.close();
    this.store.flush();
    await drained(this.#dispatcher, drainMs);
  }
}

function handleOf(server: QuicServer, running: Running, options: CoreServerOptions, logger: Logger): CoreServer {
  async function close(drainMs: number): Promise<void> {
    await running.drain(drainMs);
    await server.close();
    if (options.store === undefined) await running.store.close();
    logger.info({ address: server.address }, "core has closed");
  }

  let closed: Promise<void> | undefined;
  return {
    address: server.address,
    certificatePem: server.certificatePem,
    close: ({ drainMs = limits.drainMs } = {}) => {
      closed ??= close(drainMs);
      return closed;
    },
  };
}

/** Waits until every call has its answer, at most `drainMs`. */
async function drained(dispatcher: CallDispatcher, drainMs: number): Promise<void> {
  const endAtMs = performance.now() + drainMs;
  while (dispatcher.open > 0 && performance.now() < endAtMs) {
    await new Promise((resolve) => setTimeout(resolve, limits.drainPollMs));
  }
}
