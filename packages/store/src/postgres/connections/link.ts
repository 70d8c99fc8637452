import { setTimeout as delay } from "node:timers/promises";
import type { PostgresLocation } from "../../database-url.ts";
import { StoreError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { driverUrl, mayBePlain, type Protection } from "./driver-url.ts";
import { sqlState, storeErrorFrom } from "./errors.ts";
import { Outage } from "./outage.ts";
import { Session } from "./session.ts";

export interface LinkOptions {
  readonly reconnectDelayMsMin: number;
  readonly reconnectDelayMsMax: number;
  readonly connectTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly idleConnectionMs: number;
  /** How long past the statement's time limit the server may take to say so. */
  readonly answerGraceMs: number;
}

/** What a connection is for. Maintenance has no time limits. */
export type Purpose = "write" | "read" | "listen" | "maintenance";

/** Settings of the session. Statements that write are few, by key, and often sent: planned once, for indexes, also while tables are empty. */
const sessionOptions: Readonly<Record<Purpose, string>> = {
  write: "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off",
  read: "-c jit=off",
  listen: "",
  maintenance: "",
};

export const defaultLinkOptions: LinkOptions = limits;

/** The way to one server, shared by all connections of a store: how to connect, what lies between, and whether it is down. */
export class Link {
  readonly location: PostgresLocation;
  readonly options: LinkOptions;
  readonly #outage: Outage;
  readonly #sessions = new Set<Session>();
  readonly #closing = new AbortController();
  #lastError: unknown;
  #protection: Protection = "as given";
  #direct: boolean;
  #named: boolean;
  #statementsOfClosed = 0;
  lost = 0;

  constructor(location: PostgresLocation, options: LinkOptions) {
    this.location = location;
    this.options = options;
    this.#direct = location.prepare !== false;
    this.#named = this.#direct;
    this.#outage = new Outage({
      delayMsMin: options.reconnectDelayMsMin,
      delayMsMax: options.reconnectDelayMsMax,
      patienceMs: options.connectTimeoutMs,
    });
  }

  get direct(): boolean {
    return this.#direct;
  }

  /** Whether statements are prepared by name. */
  get named(): boolean {
    return this.#named;
  }

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get open(): number {
    return this.#sessions.size;
  }

  get statements(): number {
    return [...this.#sessions].reduce((sum, session) => sum + session.statements, this.#statementsOfClosed);
  }

  /** Something lies between that does not keep a session together; `?prepare=true` says that it keeps names all the same. */
  poolerFound(): void {
    this.#direct = false;
    this.#named &&= this.location.prepare === true;
  }

  namesRefused(): void {
    this.#direct = false;
    this.#named = false;
  }

  /**
   * A connection that works, after waiting for the server's return within the bounds of `Outage`. Throws StoreError OPEN_FAILED where waiting
   * does not help (password, name of the database), else UNAVAILABLE.
   */
  async connect(purpose: Purpose): Promise<Session> {
    let hasTried = false;
    for (;;) {
      if (this.closing.aborted) throw closed();
      const advice = this.#outage.advise(Date.now(), hasTried);
      if (advice.kind === "fail") throw storeErrorFrom(this.#lastError);
      if (advice.kind === "wait") await this.pause(advice.forMs);
      else {
        hasTried = true;
        const session = await this.#attempt(purpose);
        if (session !== undefined) return session;
      }
    }
  }

  /** Waits, but not longer than until the store is closed. */
  async pause(forMs: number): Promise<void> {
    await delay(forMs, undefined, { signal: this.closing }).catch(() => {
      throw closed();
    });
  }

  close(): void {
    this.#closing.abort();
  }

  async #attempt(purpose: Purpose): Promise<Session | undefined> {
    try {
      const session = await this.#opened(purpose);
      this.#outage.succeeded();
      return session;
    } catch (error) {
      if (isRefusedParameter(error) && this.#direct) {
        this.poolerFound();
        return undefined;
      }
      if (hasNoTls(error) && mayBePlain(this.location.url)) {
        this.#protection = "plain";
        return undefined;
      }
      this.#lastError = error;
      this.#outage.failed(Date.now());
      if (storeErrorFrom(error).code !== "UNAVAILABLE") throw storeErrorFrom(error);
      return undefined;
    }
  }

  async #opened(purpose: Purpose): Promise<Session> {
    const session = await Session.open({
      url: driverUrl(this.location.url, this.#protection),
      connectTimeoutMs: this.options.connectTimeoutMs,
      statementTimeoutMs: purpose === "maintenance" ? 0 : this.location.statementTimeoutMs,
      lockTimeoutMs: purpose === "maintenance" ? 0 : this.options.lockTimeoutMs,
      answerGraceMs: this.options.answerGraceMs,
      options: sessionOptions[purpose],
      direct: this.#direct,
    });
    try {
      await this.#check(session);
    } catch (error) {
      session.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
    this.#sessions.add(session);
    void session.ended.then((how) => {
      if (how === "lost") this.lost++;
      this.#sessions.delete(session);
      this.#statementsOfClosed += session.statements;
    });
    return session;
  }

  /** A pooler announces a process number of its own. A standby can't take writes: better none than that one. */
  async #check(session: Session): Promise<void> {
    const text = "SELECT pg_backend_pid(), pg_is_in_recovery()";
    const { rows } = await session.query({ name: "", text }, [], false);
    const [process, standby] = rows[0] ?? [];
    if (standby === true) throw new Error("the server is a standby that takes no writes");
    if (process !== session.announcedProcess) this.poolerFound();
  }
}

/** PgBouncer refuses what it can't pass on, time limits among it (08P01). */
function isRefusedParameter(error: unknown): boolean {
  return sqlState(error) === "08P01" && error instanceof Error && /unsupported startup parameter/i.test(error.message);
}

/** The driver's words for a server that answers SSLRequest with "no". */
function hasNoTls(error: unknown): boolean {
  return error instanceof Error && error.message === "The server does not support SSL connections";
}

export function closed(): StoreError {
  return new StoreError("CLOSED", "the store has been closed");
}
