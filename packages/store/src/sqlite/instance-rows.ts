import type { InstanceRow } from "../decide/row.ts";
import { limits } from "../limits.ts";
import type { CheckpointIndex } from "./checkpoint-index.ts";
import {
  type Columns,
  differsAtLarge,
  differsQuietly,
  quietSql,
  quietValues,
  selectedColumns,
  toRow,
  touchSql,
  touchValues,
  wholeSql,
  wholeValues,
} from "./row-columns.ts";
import { RowInsert } from "./row-insert.ts";
import type { Connection } from "./statements.ts";

/** How much of a row is to be written: nothing, what the log knows too, what is in no index, all. */
type Unwritten = 0 | 1 | 2 | 3;

/** An instance as it is in the transaction under way. */
export interface Entry {
  readonly key: number;
  row: InstanceRow;
  /** Rows of pending_checkpoint_signals. */
  slots: number;
  unwritten: Unwritten;
}

/**
 * Instance rows of the transaction under way, kept for later ones as long as nobody else has written. A row is read once, and written once
 * per transaction, however many operations concern it. Pointer, count and last_seen_at of saved checkpoints are not written at all: they
 * follow with the index of the log (CheckpointIndex), and a row that is read gets them from there.
 */
export class InstanceRows {
  readonly #entries = new Map<string, Entry>();
  readonly #unwritten: Entry[] = [];
  readonly #checkpoints: CheckpointIndex;
  readonly #inserts: RowInsert;
  readonly #statements;

  constructor(connection: Connection, checkpoints: CheckpointIndex) {
    this.#checkpoints = checkpoints;
    this.#inserts = new RowInsert(connection);
    this.#statements = {
      select: connection.prepare(`SELECT ${selectedColumns} FROM instances WHERE instance_id = ?`),
      insertInput: connection.prepare("INSERT INTO instance_inputs (instance_key, input) VALUES (?, ?)"),
      touch: connection.prepare(touchSql),
      quiet: connection.prepare(quietSql),
      whole: connection.prepare(wholeSql),
    };
  }

  get(instanceId: string): Entry | undefined {
    const known = this.#entries.get(instanceId);
    if (known !== undefined) return known;
    const columns = this.#statements.select.get<Columns>(instanceId);
    if (columns === undefined) return undefined;
    const entry = this.#withRecent(columns);
    this.#entries.set(instanceId, entry);
    return entry;
  }

  /** As `get`, of one that must be there. */
  known(instanceId: string): Entry {
    const entry = this.get(instanceId);
    if (entry === undefined) throw new Error(`the row of instance '${instanceId}' is missing`);
    return entry;
  }

  insert(row: InstanceRow, tags: Readonly<Record<string, string>>, input: Uint8Array | null): Entry {
    const key = this.#inserts.insert(row, tags, this.#checkpoints.lastRow);
    if (input !== null) this.#statements.insertInput.run(key, input);
    const entry: Entry = { key, row, slots: 0, unwritten: 0 };
    this.#entries.set(row.instanceId, entry);
    return entry;
  }

  /** The row as it is to be. `appended`: checkpoints have been appended to the log, which knows their pointer, count and time. */
  change(entry: Entry, row: InstanceRow, appended: boolean): void {
    const before = entry.row;
    entry.row = row;
    if (differsAtLarge(before, row)) this.#note(entry, 3);
    else if (differsQuietly(before, row)) this.#note(entry, 2);
    else if (!appended && before.lastSeenAtMs !== row.lastSeenAtMs) this.#note(entry, 1);
  }

  /** Notes a checkpoint that was just appended to the log and changes nothing else: in place, without a copy. */
  saved({ row }: Entry, checkpointId: string, nowMs: number): void {
    row.checkpointId = checkpointId;
    row.checkpointCount += 1;
    row.lastSeenAtMs = Math.max(row.lastSeenAtMs ?? nowMs, nowMs);
  }

  changeSlots(entry: Entry, by: number): void {
    entry.slots += by;
    this.#note(entry, 2);
  }

  remove(entry: Entry): void {
    entry.unwritten = 0;
    this.#entries.delete(entry.row.instanceId);
  }

  /** To be called before commit, and before anything reads those columns by SQL. */
  write(): void {
    for (const entry of this.#unwritten) this.#writeEntry(entry);
    this.#unwritten.length = 0;
  }

  #writeEntry(entry: Entry): void {
    const { key, row, slots, unwritten } = entry;
    const upTo = this.#checkpoints.lastRow;
    if (unwritten === 1) this.#statements.touch.run(...touchValues(row, upTo, key));
    else if (unwritten === 2) this.#statements.quiet.run(...quietValues(row, slots, upTo, key));
    else if (unwritten === 3) this.#statements.whole.run(...wholeValues(row, slots, upTo, key));
    entry.unwritten = 0;
  }

  #note(entry: Entry, unwritten: Unwritten): void {
    if (entry.unwritten === 0) this.#unwritten.push(entry);
    if (entry.unwritten < unwritten) entry.unwritten = unwritten;
  }

  #withRecent(columns: Columns): Entry {
    const [key] = columns;
    const row = toRow(columns);
    const recent = this.#checkpoints.recentOf(key, columns[38]);
    const last = recent.at(-1);
    if (last !== undefined) {
      row.checkpointId = last.checkpointId;
      row.checkpointCount += recent.length;
      row.lastSeenAtMs = recent.reduce((at, { createdAtMs }) => Math.max(at, createdAtMs), row.lastSeenAtMs ?? 0);
    }
    return { key, row, slots: columns[37], unwritten: 0 };
  }

  /** To be called when the rows may have changed elsewhere, and after a rollback. */
  forget(): void {
    this.#entries.clear();
    this.#unwritten.length = 0;
  }

  /** Keeps the number of rows within its bound; to be called between transactions. */
  shrink(): void {
    if (this.#entries.size > limits.cachedInstancesMax) this.#entries.clear();
  }
}
