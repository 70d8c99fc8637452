/** A row of the log that the index does not have yet. */
export interface RecentRow {
  readonly id: number;
  readonly checkpointId: string;
  readonly createdAtMs: number;
}

/** The rows of one instance. */
interface Rows {
  readonly idOf: Map<string, number>;
  readonly inOrder: RecentRow[];
}

const none: readonly RecentRow[] = [];

/** Rows of the log in memory, to be found by instance and id, or all of an instance. */
export class Recent {
  readonly #ofKey = new Map<number, Rows>();
  #size = 0;
  #characters = 0;
  #lastId = 0;
  #oldestMs = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#size;
  }

  /** Of all ids together. */
  get characters(): number {
    return this.#characters;
  }

  get lastId(): number {
    return this.#lastId;
  }

  /** The earliest time of its rows; infinite without rows. */
  get oldestMs(): number {
    return this.#oldestMs;
  }

  get keys(): number[] {
    return [...this.#ofKey.keys()];
  }

  find(key: number, checkpointId: string): number | undefined {
    return this.#ofKey.get(key)?.idOf.get(checkpointId);
  }

  /** In the order of their ids. */
  of(key: number): readonly RecentRow[] {
    return this.#ofKey.get(key)?.inOrder ?? none;
  }

  add(key: number, row: RecentRow): void {
    let rows = this.#ofKey.get(key);
    if (rows === undefined) {
      rows = { idOf: new Map(), inOrder: [] };
      this.#ofKey.set(key, rows);
    }
    rows.idOf.set(row.checkpointId, row.id);
    rows.inOrder.push(row);
    this.#size += 1;
    this.#characters += row.checkpointId.length;
    this.#lastId = row.id;
    if (row.createdAtMs < this.#oldestMs) this.#oldestMs = row.createdAtMs;
  }
}
