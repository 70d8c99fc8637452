import { type Environment, readChoice, readOptionalString } from "../environment-variables.ts";
import { type LogFormat, type LogLevel, logFormats, logLevels } from "./logger.ts";

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** Words of RUST_LOG that are levels. */
const rustLevels: Readonly<Record<string, LogLevel>> = {
  off: "silent",
  error: "error",
  warn: "warn",
  info: "info",
  debug: "debug",
  trace: "debug",
};

/**
 * RUNTARA_LOG_LEVEL, else the plain level in RUST_LOG (its filters for single modules mean nothing here), else info; and
 * RUNTARA_LOG_FORMAT, else pretty where a person looks on (`isTerminal`), JSON where not. Throws `ConfigError`.
 */
export function readLogSettings(env: Environment, isTerminal: boolean = process.stderr.isTTY === true): LogSettings {
  const fallback = plainLevel(readOptionalString(env, "RUST_LOG") ?? "") ?? "info";
  return {
    level: readChoice(env, "RUNTARA_LOG_LEVEL", logLevels, fallback),
    format: readChoice(env, "RUNTARA_LOG_FORMAT", logFormats, isTerminal ? "pretty" : "json"),
  };
}

function plainLevel(filter: string): LogLevel | undefined {
  const words = filter.split(",").map((word) => word.trim().toLowerCase());
  const level = words.findLast((word) => Object.hasOwn(rustLevels, word));
  return level === undefined ? undefined : rustLevels[level];
}
