import { readFileSync } from "node:fs";
import { ConfigError } from "../errors.ts";
import { limits } from "../limits.ts";
import { accessFromEnv } from "../wire/server-access.ts";
import type { RunInstanceOptions } from "./settings.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the `RUNTARA_…` variables set; variables that are unset or empty leave their member out.
 *  @throws ConfigError naming variable, value and form for one that can't be read: never a silent default */
export function settingsFromEnv(env: Environment = process.env): Partial<RunInstanceOptions> {
  return definedOnly({
    server: text(env, "RUNTARA_SERVER_ADDR"),
    serverName: text(env, "RUNTARA_SERVER_NAME"),
    tenantId: text(env, "RUNTARA_TENANT_ID"),
    instanceId: text(env, "RUNTARA_INSTANCE_ID"),
    token: text(env, "RUNTARA_INSTANCE_TOKEN"),
    dangerouslySkipVerification: flag(env, "RUNTARA_SKIP_CERT_VERIFICATION"),
    ...accessFromEnv(env, (message, cause) => new ConfigError(message, cause === undefined ? {} : { cause })),
    connectTimeoutMs: milliseconds(env, "RUNTARA_CONNECT_TIMEOUT_MS", 1),
    requestTimeoutMs: milliseconds(env, "RUNTARA_REQUEST_TIMEOUT_MS", 0),
    signalPollIntervalMs: milliseconds(env, "RUNTARA_SIGNAL_POLL_INTERVAL_MS", 0),
    heartbeatIntervalMs: milliseconds(env, "RUNTARA_HEARTBEAT_INTERVAL_MS", 0),
  });
}

/** The text of the file that a variable names; undefined when it names none. @throws ConfigError when it can't be read */
export function file(env: Environment, name: string): string | undefined {
  const path = text(env, name);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ConfigError(`${name}=${path} can't be read: ${(cause as Error).message}`, { cause });
  }
}

export function text(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}

function flag(env: Environment, name: string): boolean | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw new ConfigError(`${name}=${value} can't be read: it must be true, 1, false or 0`);
}

function milliseconds(env: Environment, name: string, min: number): number | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= limits.timerMsMax) return number;
  throw new ConfigError(
    `${name}=${value} can't be read: it must be whole milliseconds, ${min} to ${limits.timerMsMax}`,
  );
}

function definedOnly<T extends object>(settings: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Partial<T>;
}
