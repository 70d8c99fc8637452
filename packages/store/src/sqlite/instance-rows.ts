import type { DatabaseSync } from "node:sqlite";
import { limits } from "../limits.ts";
import type { InstanceStatus, SignalType } from "../model.ts";
import type { CheckpointIndex } from "./checkpoint-index.ts";
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
  /** Whether `writeTouched` is to write it. */
  touched: boolean;
}

type Columns = [
  key: number,
  status: InstanceStatus,
  epoch: number,
  checkpointId: string | null,
  checkpointCount: number,
  pendingSignal: SignalType | null,
  customSignals: number,
  lastSeenAtMs: number | null,
  countedUpTo: number,
];

/**
 * Instance rows of the transaction under way, kept for later ones as long as nobody else has written. A row is read once, and its
 * last_seen_at is written once per transaction, however many operations concern it. Pointer, count and last_seen_at of saved checkpoints
 * are not written at all: they follow with the index of the log (CheckpointIndex), and a row that is read gets them from there.
 */
export class InstanceRows {
  readonly #rows = new Map<string, InstanceRow>();
  readonly #touched: InstanceRow[] = [];
  readonly #checkpoints: CheckpointIndex;
  readonly #select;
  readonly #write;

  constructor(database: DatabaseSync, checkpoints: CheckpointIndex) {
    this.#checkpoints = checkpoints;
    this.#select = prepareArrays(
      database,
      `SELECT instance_key, status, epoch, checkpoint_id, checkpoint_count, pending_signal, custom_signal_count, last_seen_at,
         counted_up_to
       FROM instances WHERE instance_id = ?`,
    );
    this.#write = database.prepare(
      "UPDATE instances SET checkpoint_id = ?, checkpoint_count = ?, last_seen_at = ?, counted_up_to = ? WHERE instance_key = ?",
    );
  }

  get(instanceId: string): InstanceRow | undefined {
    const known = this.#rows.get(instanceId);
    if (known !== undefined) return known;
    const columns = this.#select.get(instanceId) as unknown as Columns | undefined;
    if (columns === undefined) return undefined;
    const row = this.#withRecent(columns);
    this.#rows.set(instanceId, row);
    return row;
  }

  #withRecent([
    key,
    status,
    epoch,
    checkpointId,
    count,
    pendingSignal,
    customSignals,
    lastSeenAtMs,
    upTo,
  ]: Columns): InstanceRow {
    const recent = this.#checkpoints.recentOf(key, upTo);
    const last = recent.at(-1);
    return {
      key,
      status,
      epoch,
      checkpointId: last?.checkpointId ?? checkpointId,
      checkpointCount: count + recent.length,
      pendingSignal,
      customSignals,
      lastSeenAtMs: last === undefined ? lastSeenAtMs : Math.max(lastSeenAtMs ?? 0, last.createdAtMs),
      touched: false,
    };
  }

  /** Notes a checkpoint that was just appended to the log. */
  saved(row: InstanceRow, checkpointId: string, nowMs: number): void {
    row.checkpointId = checkpointId;
    row.checkpointCount += 1;
    row.lastSeenAtMs = nowMs;
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
      this.#write.run(row.checkpointId, row.checkpointCount, row.lastSeenAtMs, this.#checkpoints.lastRow, row.key);
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
