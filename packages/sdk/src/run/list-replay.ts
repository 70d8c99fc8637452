import { isRuntaraError } from "../errors.ts";
import type { StoredEntry } from "./entries.ts";
import type { Replay } from "./history.ts";

/** An entry of a list: enough to put it into its place, before its text is read. */
export interface ListedRow {
  readonly id: string;
  /** Undefined: the state under this id was not written by a workflow. */
  readonly seq: number | undefined;
}

/** A replay where all entries are listed before it begins: they come one after the other, read when their turn is near and freed behind it. */
export class ListReplay<Row extends ListedRow> implements Replay {
  readonly count: number;
  readonly seqMax: number;
  readonly sent: number;
  #rows: (Row | undefined)[];
  readonly #ids: Set<string>;
  readonly #read: (row: Row) => string | Promise<string>;
  #next = 0;
  /** The row that was peeked, read. */
  #peeked: StoredEntry | Promise<StoredEntry> | undefined;

  /** `rows`: in the order of delivery. `read`: the text of a row, its value in clear. `sent`: messages of the run that are durable. */
  constructor(rows: readonly Row[], read: (row: Row) => string | Promise<string>, sent: number) {
    this.#rows = [...rows];
    this.#ids = new Set(rows.map(({ id }) => id));
    this.#read = read;
    this.count = rows.length;
    this.seqMax = rows.reduce((most, { seq }) => Math.max(most, seq ?? 0), 0);
    this.sent = sent;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  peek(): StoredEntry | undefined | Promise<StoredEntry | undefined> {
    const row = this.#rows[this.#next];
    if (!row) return undefined;
    this.#peeked ??= this.#open(row);
    return this.#peeked;
  }

  take(): void {
    this.#rows[this.#next++] = undefined;
    this.#peeked = undefined;
  }

  free(): void {
    this.#rows = [];
    this.#ids.clear();
  }

  #open(row: Row): StoredEntry | Promise<StoredEntry> {
    const { id, seq } = row;
    let text: string | Promise<string>;
    try {
      text = this.#read(row);
    } catch (error) {
      return unreadable(row, error);
    }
    if (typeof text === "string") return { id, seq, text };
    return text
      .then(
        (read): StoredEntry => ({ id, seq, text: read }),
        (error: unknown) => unreadable(row, error),
      )
      .then((entry) => {
        // Asked again, it is there at once.
        if (this.#rows[this.#next] === row) this.#peeked = entry;
        return entry;
      });
  }
}

/** @throws what is no fault of the stored text */
function unreadable({ id, seq }: ListedRow, error: unknown): StoredEntry {
  if (!isRuntaraError(error, "UNREADABLE_VALUE")) throw error;
  return { id, seq, text: "", fault: error };
}
