import { limits as protocolLimits, type ServerTransport, serverOptionsFromEnv } from "@runtara/protocol";
import {
  ConfigError,
  type Environment,
  readBoolean,
  readDuration,
  readInteger,
  readOptionalString,
  readPort,
  readString,
  readTlsSettings,
  type TlsSettings,
} from "@runtara/server-kit";
import { defaultDatabaseUrl, storeLimits } from "@runtara/store";
import { limits } from "../limits.ts";
import type { RetentionAges } from "../timers/index.ts";

/** What a core process is told by its environment; fits `startCore`. Addresses are `ip:port`, or `[ip]:port` for IPv6. */
export interface CoreConfig {
  readonly databaseUrl: string;
  readonly bindAddr: string;
  /** Absent = the admin port is off. */
  readonly adminAddr?: string;
  /** The admin port was not asked for: where it is taken, the core goes on without it. */
  readonly isAdminOptional: boolean;
  /** Absent = no HTTP. */
  readonly httpAddr?: string;
  /** 0 = no limit. Holds back claims; a registration is never refused for it. */
  readonly maxConcurrentInstances: number;
  /** 0 = never. */
  readonly staleAfterMs: number;
  /** What is absent is kept. */
  readonly retention: RetentionAges;
  /** Absent = whatever a frame holds. */
  readonly stateBytesMax?: number;
  readonly tenantChecks: boolean;
  readonly drainMs: number;
  readonly tls: TlsSettings;
  /** Only what was set. */
  readonly transport: ServerTransport;
}

const uint32Max = 4_294_967_295;
const defaultAdminPort = 8_003;

/** Reads the variables of a core server. Throws `ConfigError` naming the variable, the value and the form it needs. */
export function coreConfigFromEnv(env: Environment): CoreConfig {
  const host = readString(env, "RUNTARA_BIND_HOST", "127.0.0.1");
  return {
    databaseUrl: databaseUrl(env),
    ...addresses(env, host.includes(":") && !host.startsWith("[") ? `[${host}]` : host),
    maxConcurrentInstances: readInteger(env, "RUNTARA_MAX_CONCURRENT_INSTANCES", 0, 0, uint32Max),
    staleAfterMs: readInteger(env, "RUNTARA_STALE_AFTER_MS", limits.staleAfterMs, 0, limits.sleepMsMax),
    retention: retention(env),
    ...stateBytesMax(env),
    tenantChecks: readBoolean(env, "RUNTARA_TENANT_CHECKS", false),
    drainMs: readInteger(env, "RUNTARA_DRAIN_MS", limits.drainMs, 0, protocolLimits.timerMsMax),
    tls: readTlsSettings(env),
    transport: serverOptionsFromEnv(env, (variable, form, value) => ConfigError.invalid(variable, form, value)),
  };
}

function addresses(
  env: Environment,
  host: string,
): Pick<CoreConfig, "bindAddr" | "adminAddr" | "isAdminOptional" | "httpAddr"> {
  const adminPort = readPort(env, "RUNTARA_ADMIN_PORT", defaultAdminPort);
  const httpPort = readPort(env, "RUNTARA_HTTP_PORT", 0);
  return {
    bindAddr: `${host}:${readPort(env, "RUNTARA_QUIC_PORT", 8_001)}`,
    ...(adminPort === 0 ? {} : { adminAddr: `${host}:${adminPort}` }),
    isAdminOptional: readOptionalString(env, "RUNTARA_ADMIN_PORT") === undefined,
    ...(readOptionalString(env, "RUNTARA_HTTP_PORT") === undefined ? {} : { httpAddr: `${host}:${httpPort}` }),
  };
}

function retention(env: Environment): RetentionAges {
  const instancesMs = readDuration(env, "RUNTARA_RETENTION_INSTANCES");
  const eventsMs = readDuration(env, "RUNTARA_RETENTION_EVENTS");
  const checkpointsMs = readDuration(env, "RUNTARA_RETENTION_CHECKPOINTS");
  return {
    ...(instancesMs === undefined ? {} : { instancesMs }),
    ...(eventsMs === undefined ? {} : { eventsMs }),
    ...(checkpointsMs === undefined ? {} : { checkpointsMs }),
  };
}

function stateBytesMax(env: Environment): { readonly stateBytesMax?: number } {
  const variable = "RUNTARA_STATE_BYTES_MAX";
  const frame = protocolLimits.framePayloadBytesMax;
  return readOptionalString(env, variable) === undefined
    ? {}
    : { stateBytesMax: readInteger(env, variable, frame, 1, frame) };
}

/** The URL with what other variables say of PostgreSQL; what the URL itself says wins. SQLite has neither pool nor time-out. */
function databaseUrl(env: Environment): string {
  const url = readString(env, "RUNTARA_DATABASE_URL", defaultDatabaseUrl);
  const { poolConnectionsMin, poolConnectionsMax, statementTimeoutMsMax, poolConnections } = storeLimits;
  const poolVariable = "RUNTARA_DB_POOL_SIZE";
  const pool = readInteger(env, poolVariable, poolConnections, poolConnectionsMin, poolConnectionsMax);
  const timeoutVariable = "RUNTARA_DB_REQUEST_TIMEOUT_MS";
  const timeoutMs = readInteger(env, timeoutVariable, storeLimits.statementTimeoutMs, 0, statementTimeoutMsMax);
  if (!/^postgres(ql)?:\/\//i.test(url)) return url;
  const withPool = withOption(url, "pool", readOptionalString(env, poolVariable) === undefined ? undefined : pool);
  const isTimeoutSet = readOptionalString(env, timeoutVariable) !== undefined;
  return withOption(withPool, "statement_timeout_ms", isTimeoutSet ? timeoutMs : undefined);
}

function withOption(url: string, name: string, value: number | undefined): string {
  const [, query] = url.split("?");
  if (value === undefined || new URLSearchParams(query).has(name)) return url;
  return `${url}${query === undefined ? "?" : query === "" ? "" : "&"}${name}=${value}`;
}
