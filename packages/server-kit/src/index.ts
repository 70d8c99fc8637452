/** What Runtara's servers share: configuration from the environment, logs, the ready line, and an orderly end. */
export { ConfigError, type ConfigErrorCode } from "./config-error.ts";
export { loadDotEnv, type MutableEnvironment } from "./dotenv.ts";
export {
  type Environment,
  readBoolean,
  readChoice,
  readInteger,
  readOptionalString,
  readPort,
  readPositiveInteger,
  readString,
} from "./environment-variables.ts";
export { createLogger, type Logger, type LoggerOptions, type LogLevel, logLevels, silentLogger } from "./logger.ts";
export { announceReady, type ServerKind } from "./ready-line.ts";
export { onShutdownSignal, type ShutdownOptions } from "./shutdown.ts";
export { readTlsSettings, type TlsSettings } from "./tls-settings.ts";
