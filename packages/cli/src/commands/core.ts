import { coreConfigFromEnv, startCoreServer } from "@runtara/core/server";
import {
  announceReady,
  createLogger,
  type Environment,
  loadDotEnv,
  logLevels,
  onShutdownSignal,
  readChoice,
} from "@runtara/server-kit";

export interface CoreOptions {
  readonly databaseUrl?: string;
  readonly host?: string;
  readonly port?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly clientCa?: string;
  readonly dataDir?: string;
  readonly http2?: boolean;
}

/** `runtara core`: resolves once it listens; the process then lives until a signal. */
export async function core(options: CoreOptions): Promise<void> {
  loadDotEnv();
  const config = coreConfigFromEnv({ ...process.env, ...variables(options) });
  const level = readChoice(process.env, "RUNTARA_LOG_LEVEL", logLevels, "info");
  const logger = createLogger({ name: "core", level });
  const server = await startCoreServer({ ...config, logger });
  // First the handlers, then the word: who reads it may send a signal at once.
  onShutdownSignal(() => server.close());
  announceReady("core", server.address);
}

/** Options win over variables. */
function variables({ databaseUrl, host, port, tlsCert, tlsKey, clientCa, dataDir, http2 }: CoreOptions): Environment {
  const given = {
    RUNTARA_DATABASE_URL: databaseUrl,
    RUNTARA_BIND_HOST: host,
    RUNTARA_QUIC_PORT: port,
    RUNTARA_TLS_CERT_FILE: tlsCert,
    RUNTARA_TLS_KEY_FILE: tlsKey,
    RUNTARA_TLS_CLIENT_CA_FILE: clientCa,
    DATA_DIR: dataDir,
    RUNTARA_HTTP2: http2 === undefined ? undefined : String(http2),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
