import type { Changes } from "../decide/changes.ts";
import type { CheckpointIndex } from "./checkpoint-index.ts";
import type { Entry, InstanceRows } from "./instance-rows.ts";
import type { SignalIds } from "./signal-ids.ts";
import type { Connection } from "./statements.ts";

/** Where decisions write to. */
export interface Target {
  readonly rows: InstanceRows;
  readonly checkpoints: CheckpointIndex;
  readonly signalIds: SignalIds;
}

function prepare(connection: Connection) {
  const sql = (text: string) => connection.prepare(text);
  return {
    clear: sql(
      `UPDATE instances SET output = NULL, error = NULL, failure = NULL, sleep_until = NULL
       WHERE instance_key = ? AND (output IS NOT NULL OR error IS NOT NULL OR failure IS NOT NULL OR sleep_until IS NOT NULL)`,
    ),
    output: sql("UPDATE instances SET output = ? WHERE instance_key = ?"),
    error: sql("UPDATE instances SET error = ? WHERE instance_key = ?"),
    failure: sql("UPDATE instances SET failure = ? WHERE instance_key = ?"),
    clearSleepUntil: sql("UPDATE instances SET sleep_until = NULL WHERE instance_key = ? AND sleep_until IS NOT NULL"),
    event: sql(
      `INSERT INTO instance_events (instance_key, event_type, subtype, checkpoint_id, created_at, received_at, payload)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    retry: sql(
      `INSERT INTO retry_attempts (instance_key, checkpoint_id, attempt, position, error_message, created_at, next_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET position = excluded.position, error_message = excluded.error_message, created_at = excluded.created_at,
         next_at = excluded.next_at`,
    ),
    publish: sql(
      `INSERT INTO published_values (instance_key, key, version, updated_at, value) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET version = excluded.version, updated_at = excluded.updated_at, value = excluded.value`,
    ),
    sleep: sql(
      `INSERT INTO sleeps (instance_key, checkpoint_id, ordinal, epoch, finished, created_at, wake_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET epoch = excluded.epoch, finished = excluded.finished, wake_at = excluded.wake_at, state = excluded.state`,
    ),
    sleepOn: sql(
      `UPDATE sleeps SET epoch = ?, finished = ?, wake_at = ? WHERE instance_key = ? AND checkpoint_id = ? AND ordinal = ?`,
    ),
    forgetSleeps: sql("DELETE FROM sleeps WHERE instance_key = ?"),
    lose: sql("INSERT INTO lost_work (worker_id, instance_key) VALUES (?, ?) ON CONFLICT DO NOTHING"),
    forgetLoss: sql("DELETE FROM lost_work WHERE worker_id = ? AND instance_key = ?"),
    signal: sql(
      `INSERT INTO instance_signals (signal_id, instance_key, kind, name, message_id, payload, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    pend: sql(
      `INSERT INTO pending_signals (instance_key, signal_type, payload, created_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET signal_type = excluded.signal_type, payload = excluded.payload, created_at = excluded.created_at,
         acknowledged_at = NULL`,
    ),
    acknowledge: sql(
      "UPDATE pending_signals SET acknowledged_at = ? WHERE instance_key = ? AND acknowledged_at IS NULL",
    ),
    deliverPending: sql(
      `UPDATE instance_signals SET delivered_at = ? WHERE signal_id = (
         SELECT max(signal_id) FROM instance_signals WHERE instance_key = ? AND kind IN ('cancel', 'pause', 'resume'))`,
    ),
    slot: sql(
      `INSERT INTO pending_checkpoint_signals (instance_key, checkpoint_id, signal_id, created_at, payload) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET signal_id = excluded.signal_id, created_at = excluded.created_at, payload = excluded.payload`,
    ),
    hasSlot: sql("SELECT 1 FROM pending_checkpoint_signals WHERE instance_key = ? AND checkpoint_id = ?"),
    takeSlot: sql("DELETE FROM pending_checkpoint_signals WHERE instance_key = ? AND signal_id = ?"),
    deliver: sql("UPDATE instance_signals SET delivered_at = ? WHERE signal_id = ? AND instance_key = ?"),
  };
}

/** The one writer of decisions: whatever an operation is called, this is what it puts into the tables. */
export class ChangeWriter {
  readonly #target: Target;
  readonly #statements;

  constructor(connection: Connection, target: Target) {
    this.#target = target;
    this.#statements = prepare(connection);
  }

  apply(instanceId: string, changes: Changes): void {
    const { rows } = this.#target;
    const { row, insert } = changes;
    const isNew = row !== undefined && insert !== undefined;
    const entry = isNew ? rows.insert(row, insert.tags, insert.input) : rows.known(instanceId);
    this.#appendCheckpoints(entry, changes);
    if (row !== undefined && !isNew) rows.change(entry, row, changes.checkpoints !== undefined);
    this.#writeResult(entry.key, changes, isNew);
    this.#writeHistory(entry.key, changes);
    this.#writeSignals(entry, changes);
    this.#writeSleeps(entry.key, changes);
    this.#writeWorkers(entry.key, changes);
    for (const { key, value } of changes.published ?? []) {
      this.#statements.publish.run(entry.key, key, entry.row.changes, changes.atMs, value);
    }
  }

  #appendCheckpoints({ key }: Entry, { checkpoints, atMs }: Changes): void {
    for (const { checkpointId, state } of checkpoints ?? []) {
      this.#target.checkpoints.append(key, checkpointId, state, atMs);
    }
  }

  #writeResult(key: number, { output, error, failure, clearSleepUntil }: Changes, isNew: boolean): void {
    if (output === null && error === null && failure === null && clearSleepUntil) {
      // A new row has none of them.
      if (!isNew) this.#statements.clear.run(key);
      return;
    }
    if (output !== undefined) this.#statements.output.run(output, key);
    if (error !== undefined) this.#statements.error.run(error, key);
    if (failure !== undefined) this.#statements.failure.run(failure, key);
    if (clearSleepUntil) this.#statements.clearSleepUntil.run(key);
  }

  #writeHistory(key: number, { events, retry, atMs }: Changes): void {
    for (const { type, subtype, checkpointId, payload, createdAtMs, receivedAtMs } of events ?? []) {
      this.#statements.event.run(key, type, subtype, checkpointId, createdAtMs, receivedAtMs, payload);
    }
    if (retry === undefined) return;
    const position = this.#target.checkpoints.drawPosition();
    this.#statements.retry.run(key, retry.checkpointId, retry.attempt, position, retry.error, atMs, retry.nextAtMs);
  }

  #writeSignals(entry: Entry, { pending, slotPut, queuePut, signalsTaken, atMs }: Changes): void {
    const { key } = entry;
    const insert = this.#statements.signal;
    if (pending === "acknowledged") {
      this.#statements.acknowledge.run(atMs, key);
      this.#statements.deliverPending.run(atMs, key);
    } else if (pending !== undefined) {
      this.#statements.pend.run(key, pending.type, pending.payload, atMs);
      insert.run(this.#target.signalIds.next(), key, pending.type, null, null, pending.payload, atMs);
    }
    if (slotPut !== undefined) {
      const { signalId, name, payload } = slotPut;
      if (this.#statements.hasSlot.get(key, name) === undefined) this.#target.rows.changeSlots(entry, 1);
      this.#statements.slot.run(key, name, signalId, atMs, payload);
      insert.run(signalId, key, "slot", name, null, payload, atMs);
    }
    if (queuePut !== undefined) {
      const { signalId, name, messageId, payload } = queuePut;
      insert.run(signalId, key, "queued", name, messageId, payload, atMs);
    }
    for (const { signalId, queued } of signalsTaken ?? []) {
      if (!queued && this.#statements.takeSlot.run(key, signalId) > 0) this.#target.rows.changeSlots(entry, -1);
      this.#statements.deliver.run(atMs, signalId, key);
    }
  }

  #writeSleeps(key: number, { sleepsForgotten, sleepPut, atMs }: Changes): void {
    if (sleepsForgotten) this.#statements.forgetSleeps.run(key);
    if (sleepPut === undefined) return;
    const { checkpointId, ordinal, epoch, finished, wakeAtMs, state } = sleepPut;
    const done = finished ? 1 : 0;
    if (state === undefined) this.#statements.sleepOn.run(epoch, done, wakeAtMs, key, checkpointId, ordinal);
    else this.#statements.sleep.run(key, checkpointId, ordinal, epoch, done, atMs, wakeAtMs, state);
  }

  #writeWorkers(key: number, { lossForgottenBy, lostBy }: Changes): void {
    if (lossForgottenBy !== undefined) this.#statements.forgetLoss.run(lossForgottenBy, key);
    if (lostBy !== undefined) this.#statements.lose.run(lostBy, key);
  }
}
