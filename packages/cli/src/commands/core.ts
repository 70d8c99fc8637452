import { coreConfigFromEnv, startCoreServer } from "@runtara/core/server";
import { announceReady, createLogger, loadDotEnv, logLevels, onShutdownSignal, readChoice } from "@runtara/server-kit";

export interface CoreOptions {
  readonly databaseUrl?: string;
  readonly host?: string;
  readonly port?: string;
}

/** `runtara core`: resolves once it listens; the process then lives until a signal. */
export async function core(options: CoreOptions): Promise<void> {
  loadDotEnv();
  const config = coreConfigFromEnv({
    ...process.env,
    ...(options.databaseUrl !== undefined && { RUNTARA_DATABASE_URL: options.databaseUrl }),
    ...(options.host !== undefined && { RUNTARA_BIND_HOST: options.host }),
    ...(options.port !== undefined && { RUNTARA_QUIC_PORT: options.port }),
  });
  const level = readChoice(process.env, "RUNTARA_LOG_LEVEL", logLevels, "info");
  const logger = createLogger({ name: "core", level });
  const server = await startCoreServer({ ...config, logger });
  // First the handlers, then the word: who reads it may send a signal at once.
  onShutdownSignal(() => server.close());
  announceReady("core", server.address);
}
