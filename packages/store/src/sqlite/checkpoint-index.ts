import type { DatabaseSync } from "node:sqlite";
import { limits } from "../limits.ts";
import { prepareArrays } from "./statements.ts";

/** A row of the log that the index does not have yet. */
interface Recent {
  readonly id: number;
  readonly checkpointId: string;
  readonly createdAtMs: number;
}

const none: readonly Recent[] = [];

/**
 * Finds checkpoints by instance and id.
 *
 * `checkpoints` is a log: rows are appended in the order of their ids, so a batch touches only a few pages however many instances it
 * concerns. `checkpoint_ids` is the index over it, and every row of a batch would land on another page of that index. So the index
 * is brought up to date only every few thousand rows, sorted, in one statement. The rows after `indexed_up_to` are looked up in
 * memory instead; this is exact, because `refresh` reads what is new in the log at the start of each transaction in which another
 * connection may have written, and nobody else can write while ours is open.
 *
 * The same holds for what an instance's own row says of its checkpoints (the last one, how many, when): it lags behind with the index,
 * and `recentOf` has the rest. So a saved checkpoint changes one page of the file, the last one of the log.
 *
 * Measured with 256 instances and batches of 64, against a UNIQUE constraint on the log: see README.md.
 */
export class CheckpointIndex {
  readonly #recent = new Map<string, number>();
  readonly #recentOf = new Map<number, Recent[]>();
  readonly #rowsMax: number;
  readonly #statements;
  /** Of the log: the last row that the index has, and the last row that `#recent` has. */
  #indexedUpTo = 0;
  #knownUpTo = 0;
  #recentCharacters = 0;

  /** `rowsMax`: rows that may wait for the index; a test takes a small number. */
  constructor(database: DatabaseSync, rowsMax: number = limits.sqliteUnindexedRowsMax) {
    this.#rowsMax = rowsMax;
    this.#statements = {
      indexedUpTo: prepareArrays(database, "SELECT indexed_up_to FROM checkpoint_index_state"),
      recent: prepareArrays(
        database,
        "SELECT id, instance_key, checkpoint_id, created_at FROM checkpoints WHERE id > ? ORDER BY id",
      ),
      find: prepareArrays(database, "SELECT id FROM checkpoint_ids WHERE instance_key = ? AND checkpoint_id = ?"),
      append: database.prepare(
        "INSERT INTO checkpoints (id, instance_key, checkpoint_id, created_at, state) VALUES (?, ?, ?, ?, ?)",
      ),
      state: prepareArrays(database, "SELECT state FROM checkpoints WHERE id = ?"),
      // Of two rows with one id, which only damage could bring about, the older one counts.
      index: database.prepare(
        `INSERT INTO checkpoint_ids (instance_key, checkpoint_id, id)
         SELECT instance_key, checkpoint_id, id FROM checkpoints WHERE id > ? ORDER BY instance_key, checkpoint_id, id
         ON CONFLICT DO NOTHING`,
      ),
      // An instance whose row was written for another reason has counted some of these rows already.
      count: database.prepare(
        `UPDATE instances SET checkpoint_count = checkpoint_count + new.rows, counted_up_to = new.last,
           checkpoint_id = (SELECT checkpoint_id FROM checkpoints WHERE id = new.last), last_seen_at = max(coalesce(last_seen_at, 0), new.at)
         FROM (
           SELECT instance_key AS key, count(*) AS rows, max(id) AS last, max(checkpoints.created_at) AS at
           FROM checkpoints JOIN instances USING (instance_key) WHERE id > ? AND id > counted_up_to GROUP BY instance_key
         ) AS new
         WHERE instance_key = new.key`,
      ),
      noteIndexed: database.prepare("UPDATE checkpoint_index_state SET indexed_up_to = ?"),
    };
  }

  /** Takes in what other connections have appended. */
  refresh(): void {
    const indexedUpTo = (this.#statements.indexedUpTo.get() as unknown as [number])[0];
    if (indexedUpTo !== this.#indexedUpTo) {
      this.#indexedUpTo = indexedUpTo;
      this.#forgetRecent();
    }
    const appended = this.#statements.recent.all(this.#knownUpTo) as unknown as [number, number, string, number][];
    for (const [id, key, checkpointId, createdAtMs] of appended) this.#remember(key, { id, checkpointId, createdAtMs });
  }

  /** The last row of the log, as far as it is known. */
  get lastRow(): number {
    return this.#knownUpTo;
  }

  /** This instance's rows after `row` that its own row in the table may not have counted yet, in order. */
  recentOf(key: number, row: number): readonly Recent[] {
    return this.#recentOf.get(key)?.filter(({ id }) => id > row) ?? none;
  }

  /** To be called after a rollback; `refresh` must follow. */
  forget(): void {
    this.#forgetRecent();
  }

  /** The row of the log that holds this checkpoint. */
  find(key: number, checkpointId: string): number | undefined {
    const recent = this.#recent.get(nameOf(key, checkpointId));
    if (recent !== undefined || this.#indexedUpTo === 0) return recent;
    return (this.#statements.find.get(key, checkpointId) as unknown as [number] | undefined)?.[0];
  }

  stateAt(row: number): Uint8Array {
    const found = this.#statements.state.get(row) as unknown as [Uint8Array] | undefined;
    if (found === undefined) throw new Error(`row ${row} of checkpoints is missing although the index has it`);
    return found[0];
  }

  /** Appends a checkpoint that `find` has not found. */
  append(key: number, checkpointId: string, state: Uint8Array, nowMs: number): void {
    const id = this.#knownUpTo + 1;
    this.#statements.append.run(id, key, checkpointId, nowMs, state);
    this.#remember(key, { id, checkpointId, createdAtMs: nowMs });
  }

  /** To be called before a commit: brings the index up to date if enough rows wait for it. */
  indexIfDue(): void {
    if (this.#recent.size < this.#rowsMax && this.#recentCharacters < limits.sqliteUnindexedCharactersMax) return;
    this.#statements.index.run(this.#indexedUpTo);
    this.#statements.count.run(this.#indexedUpTo);
    this.#statements.noteIndexed.run(this.#knownUpTo);
    this.#indexedUpTo = this.#knownUpTo;
    this.#forgetRecent();
  }

  #remember(key: number, row: Recent): void {
    const name = nameOf(key, row.checkpointId);
    this.#recent.set(name, row.id);
    this.#recentCharacters += name.length;
    this.#knownUpTo = row.id;
    const rows = this.#recentOf.get(key);
    if (rows === undefined) this.#recentOf.set(key, [row]);
    else rows.push(row);
  }

  #forgetRecent(): void {
    this.#recent.clear();
    this.#recentOf.clear();
    this.#recentCharacters = 0;
    this.#knownUpTo = this.#indexedUpTo;
  }
}

function nameOf(key: number, checkpointId: string): string {
  return `${key} ${checkpointId}`;
}
