import type { PostgresLocation } from "../../database-url.ts";
import { StoreError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { loadDriver } from "./driver.ts";
import { storeErrorFrom } from "./errors.ts";
import { defaultLinkOptions, Link, type LinkOptions } from "./link.ts";
import { Listener } from "./listener.ts";
import type { ConnectionStats, Connections, Listening, Transaction } from "./port.ts";
import { inTransaction, SessionPool } from "./session-pool.ts";

/**
 * Connects to the server; fails with StoreError UNAVAILABLE if it does not answer within the connect time-out, OPEN_FAILED if it refuses. The
 * first connection is made now, so that a pooler in between is known; the others when they are needed.
 */
export async function openConnections(
  location: PostgresLocation,
  options: Partial<LinkOptions> = {},
): Promise<Connections> {
  await loadDriver();
  const link = new Link(location, { ...defaultLinkOptions, ...options });
  const connections = new PostgresConnections(link, location.poolConnections);
  try {
    connections.readers.put(await link.connect("read"));
  } catch (error) {
    await connections.close();
    throw error;
  }
  return connections;
}

class PostgresConnections implements Connections {
  readonly #link: Link;
  readonly lanes: readonly SessionPool[];
  readonly several: SessionPool;
  readonly time: SessionPool;
  readonly slow: SessionPool;
  readonly readers: SessionPool;
  #listener: Listener | undefined;
  /** The end of those that were there before. */
  #unlistened: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(link: Link, poolConnections: number) {
    this.#link = link;
    const { lanes, hasTime, hasSlow, readers } = shares(poolConnections);
    const one = (): SessionPool => new SessionPool(link, 1, "write");
    this.lanes = Array.from({ length: lanes }, one);
    this.several = one();
    this.time = hasTime ? one() : this.several;
    this.slow = hasSlow ? one() : this.several;
    this.readers = new SessionPool(link, readers, "read");
  }

  get direct(): boolean {
    return this.#link.direct;
  }

  get #pools(): readonly SessionPool[] {
    return [...new Set([...this.lanes, this.several, this.time, this.slow, this.readers])];
  }

  listen(channel: string, listening: Listening): () => void {
    if (this.#listener !== undefined) throw new StoreError("INTERNAL", "another channel is being listened to");
    if (!this.#link.direct) return () => undefined;
    const listener = new Listener(this.#link, channel, listening);
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
      this.#unlistened = Promise.all([this.#unlistened, listener.stop()]);
    };
  }

  async maintenance<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const session = await this.#link.connect("maintenance");
    try {
      return await inTransaction(session, false, work);
    } catch (error) {
      throw storeErrorFrom(error);
    } finally {
      await session.close();
    }
  }

  stats(): ConnectionStats {
    const pools = this.#pools;
    return {
      open: this.#link.open,
      busy: pools.reduce((sum, pool) => sum + pool.busy, 0),
      waiting: pools.reduce((sum, pool) => sum + pool.waiting, 0),
      statements: this.#link.statements,
      lost: this.#link.lost,
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#link.close();
    await Promise.all(this.#pools.map((pool) => pool.close()));
    await Promise.all([this.#listener?.stop(), this.#unlistened]);
  }
}

/**
 * Who gets a connection of its own. A lane, several, a reader and the listener always do; then time, then slow, which else share the one of several;
 * then the other lanes. The rest reads.
 */
function shares(poolConnections: number) {
  const spare = poolConnections - limits.poolConnectionsMin;
  const hasTime = spare >= 1;
  const hasSlow = spare >= 2;
  const lanes = 1 + Math.min(limits.lanes - 1, Math.max(spare - 2, 0));
  const readers = poolConnections - 2 - lanes - (hasTime ? 1 : 0) - (hasSlow ? 1 : 0);
  return { lanes, hasTime, hasSlow, readers };
}
