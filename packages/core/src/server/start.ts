import {
  type CertificatePair,
  parseAddress,
  QuicServer,
  type ServerCall,
  type ServerTls,
  type ServerTransport,
  serverTls,
} from "@runtara/protocol";
import { type Logger, silentLogger, type TlsSettings } from "@runtara/server-kit";
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
  /**
   * PEM files, or else a certificate that is made once and kept in `dataDir`. Renewed ones are shown from the next handshake
   * on, and a core that is back after a crash ends the connections of its earlier life at once. Default: `certificate`.
   */
  readonly tls?: TlsSettings;
  /** Default: a self-signed one, made at each start. */
  readonly certificate?: CertificatePair;
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
   * See QuicServer's `drain`.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

/**
 * Starts a core: when it resolves, the database is open and connections are accepted. Rejects with `StoreError` (database) or
 * `ProtocolError` (address, port, certificate), whose message is one line; nothing is left running or behind then.
 */
export async function startCoreServer(options: CoreServerOptions): Promise<CoreServer> {
  const logger = options.logger ?? silentLogger;
  const tls = tlsOf(options);
  // The port comes first, so that a start which fails on it has not created a database. What arrives meanwhile waits.
  let running: Running | undefined;
  const early: ServerCall[] = [];
  const log = new RepeatedLog(logger);
  const server = await QuicServer.listen({
    ...options.transport,
    ...shownBy(tls, options),
    bindAddr: options.bindAddr,
    onCall: (call) => (running === undefined ? early.push(call) : running.take(call)),
    // Everything that one drain brought is one group commit; a lone call is committed at once.
    onDrained: () => running?.store.flush(),
    onDraining: () => running?.cutSleeps(),
    onFault: (fault) => reportFault(logger, fault),
  });
  try {
    running = new Running(options.store ?? (await openStore(databaseUrlOf(options))), log);
  } catch (error) {
    await server.close();
    throw error;
  }
  for (const call of early) running.take(call);
  running.store.flush();
  const stopWatching = tls?.watch(server, logger);
  logStart(server, tls, logger);
  return handleOf(server, running, options, logger, stopWatching);
}

/** Before anything is bound or made, so that a start which fails on its address has left no certificate behind. */
function tlsOf({ tls, bindAddr }: CoreServerOptions): ServerTls | undefined {
  parseAddress(bindAddr, "bind");
  return tls && serverTls({ ...tls, bindAddr, purpose: "core" });
}

function shownBy(tls: ServerTls | undefined, { certificate }: CoreServerOptions): ListenTls {
  if (tls === undefined) return certificate === undefined ? {} : { certificate };
  const { clientCaPem, resetKey } = tls;
  return { certificate: tls.certificate, resetKey, ...(clientCaPem === undefined ? {} : { clientCaPem }) };
}

type ListenTls = { certificate?: CertificatePair; resetKey?: Uint8Array; clientCaPem?: string };

function logStart({ address }: QuicServer, tls: ServerTls | undefined, logger: Logger): void {
  for (const warning of tls?.warnings ?? []) logger.warn({}, warning);
  const shown = tls && { fingerprint: tls.fingerprint, certificate: tls.file, notAfter: tls.notAfter };
  logger.info({ address, ...shown }, "core listens");
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

  constructor(store: Store, log: RepeatedLog) {
    this.store = store;
    this.#core = createCore({ store });
    this.#dispatcher = new CallDispatcher(this.#core, log);
  }

  take(call: ServerCall): void {
    this.#dispatcher.dispatch(call);
  }

  /** Their records stay. Also commits what waits for the end of a batch that the server will not bring any more. */
  cutSleeps(): void {
    this.#core.sleeps.close();
    this.store.flush();
  }
}

function handleOf(
  server: QuicServer,
  running: Running,
  options: CoreServerOptions,
  logger: Logger,
  stopWatching: (() => void) | undefined,
): CoreServer {
  async function close(graceMs: number): Promise<void> {
    stopWatching?.();
    const { unansweredCalls } = await server.drain({ graceMs });
    if (unansweredCalls > 0) logger.warn({ unansweredCalls }, "calls were cut off, because the store took too long");
    if (options.store === undefined) await running.store.close();
    logger.info({ address: server.address }, "core has closed");
  }

  let closed: Promise<void> | undefined;
  return {
    address: server.address,
    get certificatePem() {
      return server.certificatePem;
    },
    close: ({ drainMs = limits.drainMs } = {}) => {
      closed ??= close(drainMs);
      return closed;
    },
  };
}
