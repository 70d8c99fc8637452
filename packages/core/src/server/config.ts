import type { ServerTransport } from "@runtara/protocol";
import { type Environment, readPort, readPositiveInteger, readString } from "@runtara/server-kit";
import { defaultDatabaseUrl } from "@runtara/store";

/** What a core process is told by its environment. */
export interface CoreConfig {
  readonly databaseUrl: string;
  /** `ip:port`, or `[ip]:port` for IPv6. */
  readonly bindAddr: string;
  /** 0 = no limit. Holds back launches; a registration is never refused for it. */
  readonly maxConcurrentInstances: number;
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
    transport: transportFromEnv(env),
  };
}

/** Spec 1.12; unlike the original an unparsable value is an error. */
function transportFromEnv(env: Environment): ServerTransport {
  const read = (name: string, fallback: number) =>
    readPositiveInteger(env, `RUNTARA_QUIC_${name}`, fallback, uint32Max);
  return {
    maxIncoming: read("MAX_INCOMING", 10_000),
    maxBiStreams: read("MAX_BI_STREAMS", 1_000),
    maxUniStreams: read("MAX_UNI_STREAMS", 100),
    idleTimeoutMs: read("IDLE_TIMEOUT_MS", 120_000),
    keepAliveIntervalMs: read("KEEP_ALIVE_MS", 15_000),
    udpReceiveBufferBytes: read("UDP_RECV_BUFFER", 2_097_152),
    udpSendBufferBytes: read("UDP_SEND_BUFFER", 2_097_152),
    maxConcurrentHandlers: read("MAX_HANDLERS", 0),
  };
}
