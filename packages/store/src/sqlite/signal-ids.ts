import type { Connection, Statement } from "./statements.ts";

/** Ids of signals, each given once: behind all that the table has ever had, and behind those drawn in this transaction. */
export class SignalIds {
  readonly #last: Statement;
  #drawn = 0;

  constructor(connection: Connection) {
    this.#last = connection.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'instance_signals'");
  }

  next(): number {
    const [last] = this.#last.get<[number]>() ?? [0];
    this.#drawn = Math.max(this.#drawn, last) + 1;
    return this.#drawn;
  }
}
