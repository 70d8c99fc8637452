import { type ServerTransport, serverOptionsFromEnv } from "@runtara/protocol";
import {
  ConfigError,
  type Environment,
  readPort,
  readPositiveInteger,
  readString,
  readTlsSettings,
  type TlsSettings,
} from "@runtara/server-kit";
import { defaultDatabaseUrl } from "@runtara/store";

/** What a core process is told by its environment. */
export interface CoreConfig {
  readonly databaseUrl: string;
  /** `ip:port`, or `[ip]:port` for IPv6. */
  readonly bindAddr: string;
  /** 0 = no limit. Holds back launches; a registration is never refused for it. */
  readonly maxConcurrentInstances: number;
  readonly tls: TlsSettings;
  /** Only what was set. */
  readonly transport: ServerTransport;
}

const uint32Max = 4_294_967_295;

/** Reads the variables of a core server. Throws `ConfigError` naming the variable and the form it needs. */
export function coreConfigFromEnv(env: Environment): CoreConfig {
  const host = readString(env, "RUNTARA_BIND_HOST", "127.0.0.1");
  const port = readPort(env, "RUNTARA_QUIC_PORT", 8001);
  return {
    databaseUrl: readString(env, "RUNTARA_DATABASE_URL", defaultDatabaseUrl),
    bindAddr: host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`,
    maxConcurrentInstances: readPositiveInteger(env, "RUNTARA_MAX_CONCURRENT_INSTANCES", 0, uint32Max),
    tls: readTlsSettings(env),
    transport: serverOptionsFromEnv(env, (variable, form, value) => ConfigError.invalid(variable, form, value)),
  };
}
