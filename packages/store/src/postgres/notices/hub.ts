import { randomUUID } from "node:crypto";
import { Listeners } from "../../engines/listeners.ts";
import { merged } from "../../engines/notices.ts";
import { limits } from "../../limits.ts";
import type { Notice } from "../../store.ts";
import type { Connections, Statement } from "../connections/port.ts";
import { textArray } from "../parameters.ts";
import { type Committed, localNotices, remoteNotices } from "./committed.ts";
import { decodeNotices, encodeNotices } from "./wire.ts";

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
  readonly #listeners = new Listeners();
  #outgoing: Notice[] = [];
  #sending: NodeJS.Timeout | undefined;
  #sent: Promise<unknown> = Promise.resolve();
  #unlisten: (() => void) | undefined;
  #polling: NodeJS.Timeout | undefined;
  #snapshot: string | undefined;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  watch(listener: (notice: Notice) => void): () => void {
    const leave = this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#listen();
    return () => {
      leave();
      if (this.#listeners.size === 0) this.#stopListening();
    };
  }

  committed(committed: Committed): void {
    if (this.#listeners.size > 0) this.#listeners.tell(localNotices(committed));
    if (committed.written.length === 0 && committed.notices === undefined) return;
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
      notified: (payload) => this.#listeners.tell(decodeNotices(this.#name, payload)),
      resumed: () => this.#listeners.tell([anything]),
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
        if (this.#snapshot !== before && this.#polling !== undefined) this.#listeners.tell([anything]);
      },
      () => undefined,
    );
  }
}
