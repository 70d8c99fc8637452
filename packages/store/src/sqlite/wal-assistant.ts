import type { DatabaseSync } from "node:sqlite";
import type { Engine } from "./engine.ts";
import { ThreadLink } from "./thread-link.ts";
import { WalKeeper } from "./wal-keeper.ts";

/** Keeps the write-ahead log of a writer in the calling thread short: another thread moves nearly all of its pages. */
export class WalAssistant {
  readonly #database: DatabaseSync;
  readonly #engine: Engine;
  readonly #keeper: WalKeeper;
  readonly #thread: ThreadLink;
  #transactions = 0;
  #closing = false;

  constructor(database: DatabaseSync, engine: Engine, path: string) {
    database.exec("PRAGMA wal_autocheckpoint = 0");
    this.#database = database;
    this.#engine = engine;
    const ignore = () => {};
    this.#thread = new ThreadLink(
      { path },
      {
        onNotices: ignore,
        onWatching: ignore,
        onCheckpointed: (_, left) => this.#keeper.moved(left),
        onStats: ignore,
        onEnd: () => this.#keeper.reset(),
      },
    );
    this.#keeper = new WalKeeper({
      move: () => this.#thread.checkpoint(),
      finish: () => this.#finish(),
    });
  }

  /** To be called after transactions. */
  committed(): void {
    const { transactions } = this.#engine;
    if (transactions === this.#transactions) return;
    this.#transactions = transactions;
    this.#keeper.grown(this.#engine.walPages());
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#thread.close();
  }

  #finish(): void {
    if (this.#closing) return;
    try {
      this.#database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // The log stays as long as it is; what is wrong with the disk, the next write says.
    }
    this.#keeper.finished(this.#engine.walPages());
  }
}
