// SPDX-License-Identifier: AGPL-3.0-or-later
// The original core's SQLite tables, read and written the way a third party would (spec 8.2).
import { DatabaseSync } from "node:sqlite";
import type { SignalType } from "@runtara/store";

const busyTimeoutMs = 5000;

export class OriginalDatabase implements Disposable {
  readonly #db: DatabaseSync;

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { timeout: busyTimeoutMs });
  }

  /** What an environment does for SendSignal. */
  putSignal(instanceId: string, type: SignalType, payload: string): void {
    this.#db
      .prepare(
        "INSERT OR REPLACE INTO pending_signals (instance_id, signal_type, payload, created_at) VALUES (?, ?, ?, ?)",
      )
      .run(instanceId, type, Buffer.from(payload), new Date().toISOString());
  }

  /** What an environment does for SendCustomSignal. */
  putCustomSignal(instanceId: string, checkpointId: string, payload: string): void {
    this.#db
      .prepare(
        "INSERT OR REPLACE INTO pending_custom_signals (instance_id, checkpoint_id, payload, created_at) VALUES (?, ?, ?, ?)",
      )
      .run(instanceId, checkpointId, Buffer.from(payload), new Date().toISOString());
  }

  acknowledgedAt(instanceId: string): unknown {
    return this.#db.prepare("SELECT acknowledged_at FROM pending_signals WHERE instance_id = ?").get(instanceId)
      ?.acknowledged_at;
  }

  status(instanceId: string): unknown {
    return this.#db.prepare("SELECT status FROM instances WHERE instance_id = ?").get(instanceId)?.status;
  }

  /** Newest first. */
  events(instanceId: string): { event_type: unknown; subtype: unknown; payload: unknown }[] {
    return this.#db
      .prepare("SELECT event_type, subtype, payload FROM instance_events WHERE instance_id = ? ORDER BY id DESC")
      .all(instanceId) as { event_type: unknown; subtype: unknown; payload: unknown }[];
  }

  /** Checkpoint ids in order of saving, retry records included. */
  checkpointIds(instanceId: string): unknown[] {
    return this.#db
      .prepare("SELECT checkpoint_id FROM checkpoints WHERE instance_id = ? ORDER BY id")
      .all(instanceId)
      .map((row) => row.checkpoint_id);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

/** The peer answers a call before it is used to: a row it commits may be seen a little later. Bounded by the test's time. */
export async function until<T>(read: () => T, wanted: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = read();
    if (wanted(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
