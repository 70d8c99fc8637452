import type { QuicServer, ServerStats, ServerTls } from "@runtara/protocol";
import { type HttpServer, type Logger, silentLogger } from "@runtara/server-kit";
import { openStore } from "@runtara/store";
import { limits } from "../limits.ts";
import { listenForHttp } from "./http.ts";
import { tlsOf } from "./identity.ts";
import { CoreMetrics, type Port } from "./metrics.ts";
import { type AdminServer, Gate, listenForInstances, listenForOperators, type PortContext } from "./ports.ts";
import { RepeatedLog } from "./repeated-log.ts";
import { Running } from "./running.ts";
import type { CoreServer, StartCoreOptions } from "./start-options.ts";

/**
 * Starts a core: when it resolves, the database is open and connections are accepted. Rejects with `StoreError` (database) or
 * `ProtocolError` (address, port, certificate), whose message is one line; nothing is left running or behind then.
 */
export async function startCore(options: StartCoreOptions): Promise<CoreServer> {
  const context: PortContext = {
    options,
    tls: tlsOf(options),
    gate: new Gate(),
    metrics: options.httpAddr === undefined ? undefined : new CoreMetrics(),
    logger: options.logger ?? silentLogger,
  };
  const starting = new CoreProcess(context);
  try {
    // The ports come first, so that a start which fails on them has not created a database. What arrives meanwhile waits.
    await starting.listen();
    await starting.run();
  } catch (error) {
    await starting.abandon();
    throw error;
  }
  return starting;
}

class CoreProcess implements CoreServer {
  readonly #context: PortContext;
  #instances: QuicServer | undefined;
  #operators: AdminServer | undefined;
  #http: HttpServer | undefined;
  #stopWatching: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(context: PortContext) {
    this.#context = context;
  }

  get address(): string {
    return this.#listening.address;
  }

  get adminAddress(): string | undefined {
    return this.#operators?.address;
  }

  get httpAddress(): string | undefined {
    return this.#http?.address;
  }

  get certificatePem(): string {
    return this.#listening.certificatePem;
  }

  async listen(): Promise<void> {
    const { options, gate, metrics } = this.#context;
    this.#instances = await listenForInstances(this.#context);
    this.#operators = await listenForOperators(this.#context);
    if (options.httpAddr === undefined) return;
    const state = () => (this.#closed !== undefined ? "draining" : gate.running === undefined ? "starting" : "running");
    const ports = new Map<Port, { stats(): ServerStats }>([["instance", this.#listening]]);
    if (this.#operators !== undefined) ports.set("management", this.#operators);
    metrics?.read({
      ports,
      store: () => gate.running?.store.stats(),
      waiting: () => gate.running?.waiting() ?? {},
      isReady: () => state() === "running",
    });
    this.#http = await listenForHttp(options.httpAddr, {
      state,
      store: () => gate.running?.store,
      metrics: () => metrics?.render() ?? "",
    });
  }

  async run(): Promise<void> {
    const { options, tls, gate, logger } = this.#context;
    // Writing here costs the least processor time and is the quickest for a lone caller; a thread keeps the write-ahead log short.
    const progress = (step: string) => logger.info({ step }, "the database is brought up to date");
    const store = options.store ?? (await openStore(databaseUrlOf(options), { sqliteHost: "assisted", progress }));
    const running = new Running(store, options, new RepeatedLog(logger));
    gate.open(running);
    running.start();
    this.#stopWatching = this.#watchCertificate(tls, logger);
    this.#logStart();
  }

  close({
    drainMs = this.#context.options.drainMs ?? limits.drainMs,
  }: {
    readonly drainMs?: number;
  } = {}): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Of a start that has failed. */
  async abandon(): Promise<void> {
    await Promise.all([this.#instances?.close(), this.#operators?.close()]);
    await this.#release();
  }

  async #close(graceMs: number): Promise<void> {
    const { logger } = this.#context;
    this.#stopWatching?.();
    const ports = [this.#listening, ...(this.#operators === undefined ? [] : [this.#operators])];
    const reports = await Promise.all(ports.map((port) => port.drain({ graceMs })));
    const unansweredCalls = reports.reduce((sum, report) => sum + report.unansweredCalls, 0);
    if (unansweredCalls > 0) logger.warn({ unansweredCalls }, "calls were cut off, because the store took too long");
    await this.#release();
    logger.info({ address: this.address }, "core has closed");
  }

  /** Lets go of all that the ports were for. */
  async #release(): Promise<void> {
    const { options, gate, metrics } = this.#context;
    await gate.running?.close();
    if (options.store === undefined) await gate.running?.store.close();
    await this.#http?.close();
    metrics?.close();
  }

  get #listening(): QuicServer {
    if (this.#instances === undefined) throw new Error("the core does not listen yet");
    return this.#instances;
  }

  #watchCertificate(tls: ServerTls | undefined, logger: Logger): (() => void) | undefined {
    const both = {
      setCertificate: (pair: Parameters<QuicServer["setCertificate"]>[0]) => {
        this.#listening.setCertificate(pair);
        this.#operators?.setCertificate(pair);
      },
    };
    return tls?.watch(both, logger);
  }

  #logStart(): void {
    const { tls, logger } = this.#context;
    for (const warning of tls?.warnings ?? []) logger.warn({}, warning);
    const shown = tls && { fingerprint: tls.fingerprint, certificate: tls.file, notAfter: tls.notAfter };
    const { address, adminAddress, httpAddress } = this;
    logger.info({ address, adminAddress, httpAddress, ...shown }, "core listens");
  }
}

function databaseUrlOf({ databaseUrl }: StartCoreOptions): string {
  if (databaseUrl === undefined) throw new TypeError("startCore needs a databaseUrl or a store");
  return databaseUrl;
}
