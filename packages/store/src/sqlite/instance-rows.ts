import type { DatabaseSync } from "node:sqlite";
import { limits } from "../limits.ts";
import type { InstanceStatus, SignalType } from "../model.ts";
import { prepareArrays } from "./statements.ts";

/** The columns of an instance that the frequent operations look at. */
export interface InstanceRow {
  readonly key: number;
  status: InstanceStatus;
  epoch: number;
  checkpointId: string | null;
  checkpointCount: number;
  pendingSignal: SignalType | null;
  customSignals: number;
  lastSeenAtMs: number | null;
  /** Whether checkpoint pointer, count or last_seen_at differ from the table. */
  touched: boolean;
}

type Columns = [number, InstanceStatus, number, string | null, number, SignalType | null, number, number | null];

/**
 * Instance rows of the transaction under way, kept for later ones as long as nobody else has written. A row is read once, and its
 * pointer, count and last_seen_at are written once per transaction, however many operations concern it.
 */
export class InstanceRows {
  readonly #rows = new Map<string, InstanceRow>();
  readonly #touched: InstanceRow[] = [];
  readonly #select;
  readonly #write;

  constructor(database: DatabaseSync) {
    this.#select = prepareArrays(
      database,
      `SELECT instance_key, status, epoch, checkpoint_id, checkpoint_count, pending_signal, custom_signal_count, last_seen_at
       FROM instances WHERE instance_id = ?`,
    );
    this.#write = database.prepare(
      "UPDATE instances SET checkpoint_id = ?, checkpoint_count = ?, last_seen_at = ? WHERE instance_key = ?",
    );
  }

  get(instanceId: string): InstanceRow | undefined {
    const known = this.#rows.get(instanceId);
    if (known !== undefined) return known;
    const columns = this.#select.get(instanceId) as unknown as Columns | undefined;
    if (columns === undefined) return undefined;
    const [key, status, epoch, checkpointId, checkpointCount, pendingSignal, customSignals, lastSeenAtMs] = columns;
    const row: InstanceRow = {
      key,
      status,
      epoch,
      checkpointId,
      checkpointCount,
      pendingSignal,
      customSignals,
      lastSeenAtMs,
      touched: false,
    };
    this.#rows.set(instanceId, row);
    return row;
  }

  /** Notes activity; the columns are written by `writeTouched`. */
  touch(row: InstanceRow, nowMs: number): void {
    row.lastSeenAtMs = nowMs;
    if (row.touched) return;
    row.touched = true;
    this.#touched.push(row);
  }

  /** To be called before commit, and before anything reads those columns by SQL. */
  writeTouched(): void {
    for (const row of this.#touched) {
      row.touched = false;
      this.#write.run(row.checkpointId, row.checkpointCount, row.lastSeenAtMs, row.key);
    }
    this.#touched.length = 0;
  }

  /** To be called when the rows may have changed elsewhere, and after a rollback. */
  forget(): void {
    this.#rows.clear();
    this.#touched.length = 0;
  }

  /** Keeps the number of rows within its bound; to be called between transactions. */
  shrink(): void {
    if (this.#rows.size > limits.cachedInstancesMax) this.#rows.clear();
  }
}
