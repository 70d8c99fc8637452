import type { Logger } from "../api/runtime.ts";
import { ConfigError } from "../errors.ts";
import { limits } from "../limits.ts";
import { checkedId } from "../runtime/settings.ts";
import type { Codec } from "../values/codec-port.ts";
import type { ServerAccess } from "../wire/server-access.ts";
import type { RunEvent } from "./outcome.ts";

/** How the core is reached, and how often. */
export interface ConnectionOptions extends ServerAccess {
  /** `host:port`, `[v6]:port`; or several on one database, of which one is used until it fails. Default 127.0.0.1:8001. */
  server?: string | readonly string[];
  /** The name in the server's certificate. Default "localhost". */
  serverName?: string;
  /** The core must be reachable within this at the start. Default 10,000. */
  connectTimeoutMs?: number;
  /** Deadline of one call; it is repeated after that. Default 30,000; 0 = none. */
  requestTimeoutMs?: number;
  /** How often cancel and pause are asked for. Default 1,000; 0 = never (they still come with checkpoint answers). */
  signalPollIntervalMs?: number;
  /** Default 30,000; 0 = none. */
  heartbeatIntervalMs?: number;
}

/** What {@link runInstance} is given. */
export interface RunInstanceOptions extends ConnectionOptions {
  instanceId: string;
  /** Left out: a new instance gets undefined, a resumed one goes on with what it has. */
  input?: unknown;
  /** Default "default". */
  tenantId?: string;
  /** Step bodies at once; more wait in call order. Default 256. */
  concurrentSteps?: number;
  /** What makes other bytes of stored values, such as encryption; the first writes, all read. */
  codecs?: readonly Codec[];
  /** Where the workflow's own `log` goes, and warnings. Default: nowhere; `onEvent` tells the same of the run. */
  logger?: Logger;
  /** What the launcher gave this process to register with, where the core demands it. */
  token?: string;
  /** Abort: stop here and write nothing more; the instance can be resumed. */
  signal?: AbortSignal;
  /** Called synchronously; what it throws ends the run. */
  onEvent?: (event: RunEvent) => unknown;
}

type Connection = Required<Omit<ConnectionOptions, keyof ServerAccess | "server">>;

/** The settings with their defaults. @throws ConfigError naming the setting and its value */
export function completeSettings(
  options: RunInstanceOptions,
): Connection & { servers: [string, ...string[]]; tenantId: string; concurrentSteps: number } {
  checkedId("instanceId", options.instanceId);
  return {
    servers: serversOf(options.server),
    tenantId: checkedId("tenantId", options.tenantId ?? "default"),
    concurrentSteps: whole("concurrentSteps", options.concurrentSteps, limits.concurrentStepsDefault, 1),
    ...completeConnection(options),
  };
}

/** How the core is reached, with the defaults. @throws ConfigError naming the setting and its value */
export function completeConnection(options: ConnectionOptions): Connection {
  const { serverName = "localhost", connectTimeoutMs, requestTimeoutMs } = options;
  const { signalPollIntervalMs, heartbeatIntervalMs } = options;
  return {
    serverName,
    connectTimeoutMs: whole("connectTimeoutMs", connectTimeoutMs, limits.connectTimeoutMsDefault, 1),
    requestTimeoutMs: whole("requestTimeoutMs", requestTimeoutMs, limits.requestTimeoutMsDefault, 0),
    signalPollIntervalMs: whole("signalPollIntervalMs", signalPollIntervalMs, limits.signalPollIntervalMsDefault, 0),
    heartbeatIntervalMs: whole("heartbeatIntervalMs", heartbeatIntervalMs, limits.heartbeatIntervalMsDefault, 0),
  };
}

/** One address or several. @throws ConfigError when there is none */
export function serversOf(server: string | readonly string[] = "127.0.0.1:8001"): [string, ...string[]] {
  const given = typeof server === "string" ? server.split(",") : server;
  const [first, ...others] = given.map((address) => address.trim()).filter((address) => address !== "");
  if (first !== undefined) return [first, ...others];
  throw new ConfigError(`server is ${JSON.stringify(server)}; it must be HOST:PORT, or several`);
}

function whole(name: string, value: number | undefined, fallback: number, min: number): number {
  const number = value ?? fallback;
  if (Number.isSafeInteger(number) && number >= min && number <= limits.timerMsMax) return number;
  throw new ConfigError(`${name} is ${number}; it must be a whole number from ${min} to ${limits.timerMsMax}`);
}
