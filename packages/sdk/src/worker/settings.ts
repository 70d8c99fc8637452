import { ConfigError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { ServerAccess } from "../wire/server-access.ts";
import type { RunEvent } from "./outcome.ts";

/** How the core is reached, and how often. */
export interface ConnectionOptions extends ServerAccess {
  /** `host:port`, `[v6]:port`. Default 127.0.0.1:8001. */
  server?: string;
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
  /** Abort: stop here and write nothing more; the instance can be resumed. */
  signal?: AbortSignal;
  /** Called synchronously; what it throws ends the run. */
  onEvent?: (event: RunEvent) => unknown;
}

type Complete = Required<Omit<ConnectionOptions, keyof ServerAccess>>;

/** The settings with their defaults. @throws ConfigError naming the setting and its value */
export function completeSettings(
  options: RunInstanceOptions,
): Complete & { tenantId: string; concurrentSteps: number } {
  for (const name of ["instanceId", "tenantId"] as const) {
    const id = options[name];
    if ((id === undefined && name === "tenantId") || (typeof id === "string" && id !== "" && !id.includes("\0")))
      continue;
    throw new ConfigError(`${name} is ${JSON.stringify(id)}; it must be text that is not empty, without U+0000`);
  }
  const whole = (name: NumberName, fallback: number, min: number): number => {
    const value = options[name] ?? fallback;
    if (Number.isSafeInteger(value) && value >= min && value <= limits.timerMsMax) return value;
    throw new ConfigError(`${name} is ${value}; it must be a whole number from ${min} to ${limits.timerMsMax}`);
  };
  return {
    server: options.server ?? "127.0.0.1:8001",
    serverName: options.serverName ?? "localhost",
    tenantId: options.tenantId ?? "default",
    connectTimeoutMs: whole("connectTimeoutMs", limits.connectTimeoutMsDefault, 1),
    requestTimeoutMs: whole("requestTimeoutMs", limits.requestTimeoutMsDefault, 0),
    signalPollIntervalMs: whole("signalPollIntervalMs", limits.signalPollIntervalMsDefault, 0),
    heartbeatIntervalMs: whole("heartbeatIntervalMs", limits.heartbeatIntervalMsDefault, 0),
    concurrentSteps: whole("concurrentSteps", limits.concurrentStepsDefault, 1),
  };
}

type NumberName =
  | "connectTimeoutMs"
  | "requestTimeoutMs"
  | "signalPollIntervalMs"
  | "heartbeatIntervalMs"
  | "concurrentSteps";
