import { limits } from "../limits.ts";
import { CatchUp } from "./catch-up.ts";
import { Recent, type RecentRow } from "./recent.ts";
import type { Connection } from "./statements.ts";

/**
 * Finds checkpoints by instance and id.
 *
 * `checkpoints` is a log: rows are appended in the order of their ids, so a batch touches only a few pages however many instances it
 * concerns. `checkpoint_ids` is the index over it, and every row of a batch would land on another page of that index. So the index lags
 * behind by some thousand rows, and follows sorted, a slice with each batch (CatchUp). The rows after `indexed_up_to` are looked up in
 * memory instead; this is exact, because `refresh` reads what is new in the log at the start of each transaction in which another
 * connection may have written, and nobody else can write while ours is open.
 *
 * The same holds for what an instance's own row says of its checkpoints (the last one, how many, when): it lags behind with the index,
 * and `recentOf` has the rest. So a saved checkpoint changes one page of the file, the last one of the log.
 *
 * Measured with 256 instances and batches of 64, against a UNIQUE constraint on the log: see README.md.
 */
export class CheckpointIndex {
  readonly #connection: Connection;
  readonly #rowsMax: number;
  readonly #sliceMin: number;
  readonly #statements;
  /** Behind those of `#catchUp`, if there is one. */
  #recent: Recent = new Recent();
  #catchUp: CatchUp | undefined;
  #indexedUpTo = 0;
  #lastRow = 0;
  #appended = 0;
  /** Rows that the index is to be given with one of the next commits. */
  #owed = 0;

  /** `rowsMax`: rows that may wait for the index; a test takes a small number. */
  constructor(connection: Connection, rowsMax: number = limits.sqliteUnindexedRowsMax) {
    this.#connection = connection;
    this.#rowsMax = rowsMax;
    this.#sliceMin = Math.min(limits.sqliteIndexSliceMin, rowsMax);
    this.#statements = {
      state: connection.prepare("SELECT indexed_up_to, last_id FROM checkpoint_index_state"),
      recent: connection.prepare(
        "SELECT id, instance_key, checkpoint_id, created_at FROM checkpoints WHERE id > ? ORDER BY id",
      ),
      find: connection.prepare("SELECT id FROM checkpoint_ids WHERE instance_key = ? AND checkpoint_id = ?"),
      append: connection.prepare(
        "INSERT INTO checkpoints (id, instance_key, checkpoint_id, created_at, state) VALUES (?, ?, ?, ?, ?)",
      ),
      read: connection.prepare("SELECT state, created_at FROM checkpoints WHERE id = ?"),
      noteLast: connection.prepare("UPDATE checkpoint_index_state SET last_id = max(last_id, ?)"),
    };
  }

  /** Takes in what other connections have appended. */
  refresh(): void {
    const [indexedUpTo, lastId] = this.#statements.state.get<[number, number]>() ?? [0, 0];
    if (indexedUpTo !== this.#indexedUpTo) {
      this.#indexedUpTo = indexedUpTo;
      this.forget();
    }
    const appended = this.#statements.recent.all<[number, number, string, number]>(this.#lastRow);
    for (const [id, key, checkpointId, createdAtMs] of appended) this.#remember(key, { id, checkpointId, createdAtMs });
    this.#lastRow = Math.max(this.#lastRow, lastId);
  }

  /** To be called after a rollback; `refresh` must follow. */
  forget(): void {
    this.#recent = new Recent();
    this.#catchUp = undefined;
    this.#lastRow = this.#indexedUpTo;
    this.#appended = 0;
    this.#owed = 0;
  }

  /** The last id of the log that has been given away, as far as it is known. */
  get lastRow(): number {
    return this.#lastRow;
  }

  /** Rows that wait for the index. */
  get waiting(): number {
    return this.#recent.size + (this.#catchUp?.rows.size ?? 0);
  }

  /** The earliest time of those rows; infinite if there are none. */
  get oldestWaitingMs(): number {
    return Math.min(this.#recent.oldestMs, this.#catchUp?.rows.oldestMs ?? Number.POSITIVE_INFINITY);
  }

  /** This instance's rows after `row` that its own row in the table may not have counted yet, in order. */
  recentOf(key: number, row: number): readonly RecentRow[] {
    const older = this.#catchUp?.rows.of(key) ?? [];
    const all = older.length === 0 ? this.#recent.of(key) : [...older, ...this.#recent.of(key)];
    return all.length === 0 ? all : all.filter(({ id }) => id > row);
  }

  /** The row of the log that holds this checkpoint. */
  find(key: number, checkpointId: string): number | undefined {
    const recent = this.#recent.find(key, checkpointId) ?? this.#catchUp?.rows.find(key, checkpointId);
    if (recent !== undefined || this.#indexedUpTo === 0) return recent;
    return this.#statements.find.get<[number]>(key, checkpointId)?.[0];
  }

  read(row: number): { readonly state: Uint8Array; readonly createdAtMs: number } {
    const found = this.#statements.read.get<[Uint8Array, number]>(row);
    if (found === undefined) throw new Error(`row ${row} of checkpoints is missing although the index has it`);
    return { state: found[0], createdAtMs: found[1] };
  }

  /** Appends a checkpoint that `find` has not found. */
  append(key: number, checkpointId: string, state: Uint8Array, nowMs: number): void {
    const id = this.#lastRow + 1;
    this.#statements.append.run(id, key, checkpointId, nowMs, state);
    this.#remember(key, { id, checkpointId, createdAtMs: nowMs });
    this.#appended += 1;
  }

  /** A place behind all that the log has, which no checkpoint will have. */
  drawPosition(): number {
    this.#lastRow += 1;
    this.#statements.noteLast.run(this.#lastRow);
    return this.#lastRow;
  }

  /** To be called before a commit: lets the index follow by a slice, if enough rows wait for it. */
  follow(): void {
    if (this.#catchUp === undefined && this.#isDue()) this.#beginCatchUp();
    const slice = sliceFor(this.#appended);
    this.#appended = 0;
    if (this.#catchUp === undefined) return;
    this.#owed += slice;
    if (this.#owed < this.#sliceMin) return;
    if (this.#catchUp.advance(this.#owed)) this.#endCatchUp();
    this.#owed = 0;
  }

  /** Brings the index up to date. Before rows of the log are removed this must be done, so that nobody looks for them in memory. */
  complete(): void {
    while (this.waiting > 0) {
      if (this.#catchUp === undefined) this.#beginCatchUp();
      if (this.#catchUp?.advance(Number.MAX_SAFE_INTEGER)) this.#endCatchUp();
    }
    this.#statements.noteLast.run(this.#lastRow);
  }

  #isDue(): boolean {
    return this.#recent.size >= this.#rowsMax || this.#recent.characters >= limits.sqliteUnindexedCharactersMax;
  }

  #beginCatchUp(): void {
    this.#catchUp = new CatchUp(this.#connection, this.#recent);
    this.#recent = new Recent();
  }

  #endCatchUp(): void {
    this.#indexedUpTo = this.#catchUp?.rows.lastId ?? this.#indexedUpTo;
    this.#catchUp = undefined;
  }

  #remember(key: number, row: RecentRow): void {
    this.#recent.add(key, row);
    this.#lastRow = row.id;
  }
}

/** A little more than was appended, so that the index is done before as many rows wait again. */
function sliceFor(appended: number): number {
  return 2 + Math.ceil(appended * 1.25);
}
