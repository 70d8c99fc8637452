import { hostname } from "node:os";
import type { RuntimeOptions } from "../api/runtime.ts";
import type { Duration } from "../durations.ts";
import { checkedId, type Environment } from "../runtime/settings.ts";
import { accessOf, type ServerAccess } from "../wire/server-access.ts";
import { settingsFromEnv } from "./environment.ts";
import type { LinkSettings } from "./link.ts";
import { completeConnection, serversOf } from "./settings.ts";

/** How a server is believed, and who this client is. */
export type TlsOptions = ServerAccess;

/** What {@link serve} takes. */
export interface ServeOptions extends RuntimeOptions {
  /** The core, `host:port` or `[v6]:port`; or several on one database, of which one is used until it fails. Default: `RUNTARA_SERVER_ADDR`,
   *  which may have several with commas between, else 127.0.0.1:8001. */
  server?: string | readonly string[];
  /** The name in the server's certificate. Default: `RUNTARA_SERVER_NAME`, else "localhost". */
  serverName?: string;
  /** Default: as `RUNTARA_CA_FILE`, `RUNTARA_CERT_FILE` and the others of the kind say; else the server's certificate is verified by the public
   *  authorities, but on loopback. */
  tls?: TlsOptions;
  /** Proof of the worker's identity, where the core demands one. */
  token?: string;
  /** Who holds the instances of this process, in the core's store and logs. Must be another in each process. Default: host, pid and a random part. */
  workerId?: string;
  /** How long the work of a process that died waits until another takes it over. 1 s to 5 min; default 5 s. */
  lease?: Duration;
  /** A core must be reachable within this at the start. Default 10,000. */
  connectTimeoutMs?: number;
  /** Deadline of one call; it is repeated after that. Default 30,000; 0 = none. */
  requestTimeoutMs?: number;
}

/** Where the worker's core is, and who the worker is. @throws ConfigError naming the setting and its value */
export function serveSettings(
  options: ServeOptions,
  env: Environment,
): { readonly link: LinkSettings; readonly workerId: string } {
  const fromEnv = settingsFromEnv(env);
  const { server, serverName, connectTimeoutMs, requestTimeoutMs, tls, workerId = ownName() } = options;
  const given = { serverName, connectTimeoutMs, requestTimeoutMs };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const connection = completeConnection({ ...fromEnv, ...set });
  return {
    link: { ...connection, servers: serversOf(server ?? fromEnv.server), access: accessOf(tls ?? fromEnv) },
    workerId: checkedId("workerId", workerId),
  };
}

function ownName(): string {
  return `${hostname()}:${process.pid}:${crypto.randomUUID().slice(0, 8)}`;
}
