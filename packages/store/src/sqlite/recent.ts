/** A row of the log that the index does not have yet. */
export interface RecentRow {
  readonly id: number;
  readonly checkpointId: string;
  readonly createdAtMs: number;
}

const none: readonly RecentRow[] = [];

/** Rows of the log in memory, to be found by instance and id, or all of an instance. */
export class Recent {
  readonly #idOf = new Map<string, number>();
  readonly #ofKey = new Map<number, RecentRow[]>();
  #characters = 0;
  #lastId = 0;

  get size(): number {
    return this.#idOf.size;
  }

  /** Of all ids together. */
  get characters(): number {
    return this.#characters;
  }

  get lastId(): number {
    return this.#lastId;
  }

  get keys(): number[] {
    return [...this.#ofKey.keys()];
  }

  find(key: number, checkpointId: string): number | undefined {
    return this.#idOf.get(nameOf(key, checkpointId));
  }

  /** In the order of their ids. */
  of(key: number): readonly RecentRow[] {
    return this.#ofKey.get(key) ?? none;
  }

  add(key: number, row: RecentRow): void {
    const name = nameOf(key, row.checkpointId);
    this.#idOf.set(name, row.id);
    this.#characters += name.length;
    this.#lastId = row.id;
    const rows = this.#ofKey.get(key);
    if (rows === undefined) this.#ofKey.set(key, [row]);
    else rows.push(row);
  }
}

function nameOf(key: number, checkpointId: string): string {
  return `${key} ${checkpointId}`;
}
