import { destination, pino } from "pino";
import { describeError } from "./describe-error.ts";
import { prettyLine } from "./pretty-log.ts";

/** What a server writes its log through; pino's loggers fit. Details first, an error among them as `err`, then one sentence. */
export interface Logger {
  error(details: object, message: string): void;
  warn(details: object, message: string): void;
  info(details: object, message: string): void;
  debug(details: object, message: string): void;
}

/** From silent to talkative; RUNTARA_LOG_LEVEL takes these words. */
export const logLevels = ["silent", "error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof logLevels)[number];

export const logFormats = ["json", "pretty"] as const;
export type LogFormat = (typeof logFormats)[number];

export interface LoggerOptions {
  /** Which part of the system writes, e.g. "core". */
  readonly name?: string;
  /** Lowest level that is written; default "info". */
  readonly level?: LogLevel;
  /** One JSON object a line for machines (the default), or lines for people. */
  readonly format?: LogFormat;
}

/** Lines on stderr, so that stdout stays free for the ready line. Writes at once: nothing is lost at exit. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const settings = {
    level: options.level ?? "info",
    ...(options.name === undefined ? {} : { name: options.name }),
    serializers: { err: describeError },
  };
  const stderr = destination({ dest: 2, sync: true });
  if (options.format !== "pretty") return pino(settings, stderr);
  const isColoured = process.stderr.isTTY === true && !process.env.NO_COLOR;
  return pino(settings, { write: (line: string) => void stderr.write(prettyLine(line, isColoured)) });
}

function ignore(): void {}

/** Writes nothing. */
export const silentLogger: Logger = { error: ignore, warn: ignore, info: ignore, debug: ignore };
