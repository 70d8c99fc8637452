import { randomUUID } from "node:crypto";
import { limits } from "../../limits.ts";
import type { Notice } from "../../store.ts";
import type { Connections, Statement } from "../connections/port.ts";
import { textArray } from "../parameters.ts";
import { type Committed, localNotices, merged, remoteNotices } from "./committed.ts";
import { decodeNotices, encodeNotices } from "./wire.ts";

type Listener = (notice: Notice) => void;

const channel = "runtara";

const notifyStatement: Statement = {
  name: "notify",
  text: `SELECT pg_notify('${channel}', payload) FROM unnest($1::text[]) AS t (payload)`,
};

/** Changes with every transaction that writes, whoever's it is. */
const snapshotStatement: Statement = {
  name: "snapshot",
  text: "SELECT pg_current_snapshot()::text",
};

const anything: Notice = { topic: "anything" };

/**
 * Tells listeners of this process at once, and those of others by notifications: gathered for `limits.noticeDelayMs` and never inside of a
 * transaction that writes, because its commit would take a lock of the whole database. Others are listened to only while there is a listener;
 * behind a pooler, where no connection can listen, it is looked every `limits.pollEveryMs` whether anything was written.
 */
export class NoticeHub {
  readonly #connections: Connections;
  readonly #name: string = randomUUID();
  readonly #listeners = new Set<Listener>();
  #outgoing: Notice[] = [];
  #sending: NodeJS.Timeout | undefined;
  #sent: Promise<unknown> = Promise.resolve();
  #unlisten: (() => void) | undefined;
  #polling: NodeJS.Timeout | undefined;
  #snapshot: string | undefined;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  watch(listener: Listener): () => void {
    // One wrapper for each call, so that a listener that is given twice is told twice and forgotten once.
    const own: Listener = (notice) => listener(notice);
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.#listen();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.#stopListening();
    };
  }

  committed(committed: Committed): void {
    if (this.#listeners.size > 0) for (const notice of localNotices(committed)) this.#tell(notice);
    if (committed.written.length === 0) return;
    this.#outgoing.push(...remoteNotices(committed));
    if (this.#outgoing.length > 0) this.#sending ??= setTimeout(() => this.#send(), limits.noticeDelayMs);
  }

  /** Sends what has gathered; listens no more. */
  async close(): Promise<void> {
    this.#listeners.clear();
    this.#stopListening();
    if (this.#sending !== undefined) this.#send();
    await this.#sent;
  }

  #tell(notice: Notice): void {
    for (const listener of this.#listeners) listener(notice);
  }

  #send(): void {
    clearTimeout(this.#sending);
    this.#sending = undefined;
    const payloads = encodeNotices(this.#name, merged(this.#outgoing));
    this.#outgoing = [];
    // A hint that is lost is made up for: whoever waits asks again by itself after a while.
    this.#sent = this.#connections.time.query(notifyStatement, [textArray(payloads)]).catch(() => undefined);
  }

  #listen(): void {
    this.#unlisten = this.#connections.listen(channel, {
      notified: (payload) => {
        for (const notice of decodeNotices(this.#name, payload)) this.#tell(notice);
      },
      resumed: () => this.#tell(anything),
    });
    this.#polling = setInterval(() => this.#poll(), limits.pollEveryMs);
    this.#polling.unref();
  }

  #stopListening(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
    clearInterval(this.#polling);
    this.#polling = undefined;
  }

  #poll(): void {
    if (this.#connections.direct) return;
    const before = this.#snapshot;
    this.#connections.readers.query(snapshotStatement, []).then(
      ({ rows }) => {
        this.#snapshot = rows[0]?.[0] as string | undefined;
        if (this.#snapshot !== before && this.#polling !== undefined) this.#tell(anything);
      },
      () => undefined,
    );
  }
}
