/** What Runtara's servers share: configuration from the environment, logs, metrics, probes, the ready line, and an orderly end. */
export { ConfigError, type ConfigErrorCode } from "./config-error.ts";
export { loadDotEnv, type MutableEnvironment } from "./dotenv.ts";
export { readDuration } from "./durations.ts";
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
export { type HttpAnswer, type HttpRoutes, type HttpServer, serveHttp } from "./http/http-server.ts";
export { type LogSettings, readLogSettings } from "./logs/log-settings.ts";
export {
  createLogger,
  type LogFormat,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  logFormats,
  logLevels,
  silentLogger,
} from "./logs/logger.ts";
export { watchProcess } from "./metrics/process-metrics.ts";
export {
  type Collector,
  type Counter,
  type Histogram,
  type HistogramCell,
  type Labels,
  type MetricFamily,
  MetricsRegistry,
  type Sample,
} from "./metrics/registry.ts";
export { announceReady, type ServerKind } from "./ready-line.ts";
export { onShutdownSignal, type ShutdownOptions } from "./shutdown.ts";
export { surviveFaults } from "./survive-faults.ts";
export { readTlsSettings, type TlsSettings } from "./tls-settings.ts";
