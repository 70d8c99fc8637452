import { limits } from "../limits.ts";
import { accessFromEnv, type ServerAccess } from "../wire/server-access.ts";
import { SdkError } from "./errors.ts";

/** How an instance reaches its core. */
export interface SdkConfig extends ServerAccess {
  instanceId: string;
  tenantId: string;
  /** `host:port`, `[v6]:port`. Default 127.0.0.1:8001. */
  serverAddr?: string;
  /** Default "localhost". */
  serverName?: string;
  /** Default 10,000. */
  connectTimeoutMs?: number;
  /** Deadline of each call but sleep. Default 30,000; 0 = none. */
  requestTimeoutMs?: number;
  /** `pollSignal` asks the server at most this often. Default 1,000. */
  signalPollIntervalMs?: number;
  /** Default 30,000; 0 = no heartbeat. */
  heartbeatIntervalMs?: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** With everything filled in, less how the server is believed. */
export type CompleteConfig = Required<Omit<SdkConfig, keyof ServerAccess>>;

const numberDefaults = {
  connectTimeoutMs: limits.connectTimeoutMsDefault,
  requestTimeoutMs: limits.requestTimeoutMsDefault,
  signalPollIntervalMs: limits.signalPollIntervalMsDefault,
  heartbeatIntervalMs: limits.heartbeatIntervalMsDefault,
} as const;

/** The configuration with its defaults. Empty ids are left to the server, as in the original. @throws SdkError Config */
export function completeConfig(config: SdkConfig): CompleteConfig {
  const whole = (name: keyof typeof numberDefaults): number => {
    const value = config[name] ?? numberDefaults[name];
    if (Number.isSafeInteger(value) && value >= 0 && value <= limits.timerMsMax) return value;
    throw new SdkError("Config", `${name} is ${value}; it must be whole milliseconds up to ${limits.timerMsMax}`);
  };
  return {
    instanceId: config.instanceId,
    tenantId: config.tenantId,
    serverAddr: config.serverAddr ?? "127.0.0.1:8001",
    serverName: config.serverName ?? "localhost",
    connectTimeoutMs: whole("connectTimeoutMs"),
    requestTimeoutMs: whole("requestTimeoutMs"),
    signalPollIntervalMs: whole("signalPollIntervalMs"),
    heartbeatIntervalMs: whole("heartbeatIntervalMs"),
  };
}

/** @throws SdkError Config naming the variable. Values that can't be read are errors, unlike in the original, which takes the default */
export function configFromEnv(env: Environment): SdkConfig {
  const required = (name: string): string => {
    const value = env[name];
    if (value === undefined) throw new SdkError("Config", `${name} is required`);
    return value;
  };
  const number = (name: string): number | undefined => {
    const value = env[name];
    if (value === undefined) return undefined;
    if (/^\d+$/.test(value)) return Number(value);
    throw new SdkError("Config", `invalid ${name}: ${JSON.stringify(value)} is no whole number of milliseconds`);
  };
  const config = {
    instanceId: required("RUNTARA_INSTANCE_ID"),
    tenantId: required("RUNTARA_TENANT_ID"),
    serverAddr: env.RUNTARA_SERVER_ADDR,
    serverName: env.RUNTARA_SERVER_NAME,
    dangerouslySkipVerification: flag(env, "RUNTARA_SKIP_CERT_VERIFICATION"),
    ...accessFromEnv(env, (message, cause) => new SdkError("Config", message, cause === undefined ? {} : { cause })),
    connectTimeoutMs: number("RUNTARA_CONNECT_TIMEOUT_MS"),
    requestTimeoutMs: number("RUNTARA_REQUEST_TIMEOUT_MS"),
    signalPollIntervalMs: number("RUNTARA_SIGNAL_POLL_INTERVAL_MS"),
    heartbeatIntervalMs: number("RUNTARA_HEARTBEAT_INTERVAL_MS"),
  };
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined)) as unknown as SdkConfig;
}

function flag(env: Environment, name: string): boolean | undefined {
  const value = env[name];
  if (value === undefined) return undefined;
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw new SdkError("Config", `invalid ${name}: ${JSON.stringify(value)} is none of true, 1, false, 0`);
}
