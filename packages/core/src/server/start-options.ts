import type { CertificatePair, ServerTransport } from "@runtara/protocol";
import type { Logger, TlsSettings } from "@runtara/server-kit";
import type { Store } from "@runtara/store";
import type { Clock, RetentionAges } from "../timers/index.ts";

export interface StartCoreOptions {
  /** The database to open; the server closes it. Give this or `store`. */
  readonly databaseUrl?: string;
  /** A store that is already open; it stays open when the server closes. */
  readonly store?: Store;
  /** Where the instance protocol is spoken, `ip:port`; port 0 lets the system choose, here and below. */
  readonly bindAddr: string;
  /** Where the management protocol is spoken, `ip:port`. Default: nowhere but inside the instance protocol. */
  readonly adminAddr?: string;
  /** Where `adminAddr` is taken, log a warning and go on without it. Default: false. */
  readonly isAdminOptional?: boolean;
  /** Where HTTP answers /healthz, /readyz and /metrics, `ip:port`. Default: nowhere. */
  readonly httpAddr?: string;
  /** Instances that may run at once through claims, on the whole database. Default: 0 = any number. */
  readonly maxConcurrentInstances?: number;
  /** Silence after which an instance that nobody launched counts as lost, in ms. Default: 120,000; 0 = never. */
  readonly staleAfterMs?: number;
  /** Ages, in ms, at which what has ended is removed. Default: never. */
  readonly retention?: RetentionAges;
  /** Longest state of a checkpoint, in bytes. Default: whatever a frame holds. */
  readonly stateBytesMax?: number;
  /** Refuse to register instances of another tenant. Default: false. */
  readonly tenantChecks?: boolean;
  /** How long `close` lets calls finish, in ms. Default: 5,000. */
  readonly drainMs?: number;
  readonly transport?: ServerTransport;
  /**
   * PEM files, or else a certificate that is made once and kept in `dataDir`. Renewed ones are shown from the next handshake
   * on, and a core that is back after a crash ends the connections of its earlier life at once. Default: `certificate`.
   */
  readonly tls?: TlsSettings;
  /** Default: a self-signed one, made at each start. */
  readonly certificate?: CertificatePair;
  readonly logger?: Logger;
  /** The wall clock and the timers of what core does by itself. Default: the machine's. */
  readonly clock?: Clock;
}

export interface CoreServer {
  /** Where it really listens, `ip:port`. */
  readonly address: string;
  /** Of the management protocol; undefined = it is off. */
  readonly adminAddress: string | undefined;
  /** Of HTTP; undefined = it is off. */
  readonly httpAddress: string | undefined;
  /** What clients may verify the server with. */
  readonly certificatePem: string;
  /**
   * Ends the server: takes no more calls, answers open polls, cuts open sleeps (their records stay), waits for calls that are being
   * carried out, closes all connections with code 0 `server closing`, and lets go of the database. Idempotent. `drainMs`: longest
   * wait, default as started.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
