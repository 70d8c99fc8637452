import { coreConfigFromEnv, startCore } from "@runtara/core/server";
import {
  announceReady,
  createLogger,
  type Environment,
  loadDotEnv,
  onShutdownSignal,
  readLogSettings,
  surviveFaults,
} from "@runtara/server-kit";

export interface CoreOptions {
  readonly databaseUrl?: string;
  readonly host?: string;
  readonly port?: string;
  readonly adminPort?: string;
  readonly httpPort?: string;
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
  const logger = createLogger({ name: "core", ...readLogSettings(process.env) });
  const server = await startCore({ ...config, logger });
  surviveFaults(logger);
  // First the handlers, then the word: who reads it may send a signal at once.
  onShutdownSignal(() => server.close(), { logger });
  announceReady("core", server.address);
}

/** Options win over variables. */
function variables(options: CoreOptions): Environment {
  const given = {
    RUNTARA_DATABASE_URL: options.databaseUrl,
    RUNTARA_BIND_HOST: options.host,
    RUNTARA_QUIC_PORT: options.port,
    RUNTARA_ADMIN_PORT: options.adminPort,
    RUNTARA_HTTP_PORT: options.httpPort,
    RUNTARA_TLS_CERT_FILE: options.tlsCert,
    RUNTARA_TLS_KEY_FILE: options.tlsKey,
    RUNTARA_TLS_CLIENT_CA_FILE: options.clientCa,
    DATA_DIR: options.dataDir,
    RUNTARA_HTTP2: options.http2 === undefined ? undefined : String(options.http2),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
