import type { Recent, RecentRow } from "./recent.ts";
import type { Connection, Statement } from "./statements.ts";

interface Statements {
  readonly index: Statement;
  readonly counted: Statement;
  readonly count: Statement;
  readonly noteIndexed: Statement;
}

const prepared = new WeakMap<Connection, Statements>();

function prepare(connection: Connection): Statements {
  const known = prepared.get(connection);
  if (known !== undefined) return known;
  const statements = {
    // Of two rows with one id, which only damage could bring about, the older one counts.
    index: connection.prepare(
      "INSERT INTO checkpoint_ids (instance_key, checkpoint_id, id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    ),
    counted: connection.prepare("SELECT counted_up_to FROM instances WHERE instance_key = ?"),
    count: connection.prepare(
      `UPDATE instances SET checkpoint_count = checkpoint_count + ?, counted_up_to = ?, checkpoint_id = ?,
         last_seen_at = max(coalesce(last_seen_at, 0), ?) WHERE instance_key = ?`,
    ),
    noteIndexed: connection.prepare("UPDATE checkpoint_index_state SET indexed_up_to = ?"),
  };
  prepared.set(connection, statements);
  return statements;
}

/**
 * Moves rows of the log into its index, instance by instance, so that neighbours in the index come together, and counts them in the rows of
 * the instances. In slices, because all at once would hold up a whole batch. Until the last slice is done `indexed_up_to` stays, and the
 * rows in memory count; a crash between loses nothing, and what is indexed twice changes nothing.
 */
export class CatchUp {
  readonly rows: Recent;
  readonly #statements: Statements;
  readonly #keys: readonly number[];
  #nextKey = 0;
  #sorted: readonly RecentRow[] = [];
  #nextRow = 0;

  constructor(connection: Connection, rows: Recent) {
    this.rows = rows;
    this.#statements = prepare(connection);
    this.#keys = rows.keys.sort((a, b) => a - b);
  }

  /** Moves about so many rows. True when all are done. */
  advance(rows: number): boolean {
    for (let moved = 0; moved < rows; moved += 1) {
      const key = this.#keys[this.#nextKey];
      if (key === undefined) {
        this.#statements.noteIndexed.run(this.rows.lastId);
        return true;
      }
      this.#moveOne(key);
    }
    return false;
  }

  #moveOne(key: number): void {
    if (this.#nextRow === 0) this.#sorted = this.rows.of(key).toSorted(byCheckpointId);
    const row = this.#sorted[this.#nextRow];
    if (row !== undefined) this.#statements.index.run(key, row.checkpointId, row.id);
    this.#nextRow += 1;
    if (this.#nextRow < this.#sorted.length) return;
    this.#count(key);
    this.#nextKey += 1;
    this.#nextRow = 0;
  }

  /** A row of an instance that was written for another reason has counted some of these already. */
  #count(key: number): void {
    const [countedUpTo] = this.#statements.counted.get<[number]>(key) ?? [Number.MAX_SAFE_INTEGER];
    const rows = this.rows.of(key).filter(({ id }) => id > countedUpTo);
    const last = rows.at(-1);
    if (last === undefined) return;
    const at = rows.reduce((latest, { createdAtMs }) => Math.max(latest, createdAtMs), 0);
    this.#statements.count.run(rows.length, last.id, last.checkpointId, at, key);
  }
}

function byCheckpointId(a: RecentRow, b: RecentRow): number {
  return a.checkpointId < b.checkpointId ? -1 : a.checkpointId > b.checkpointId ? 1 : a.id - b.id;
}
