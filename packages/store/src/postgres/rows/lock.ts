import type { InstanceRow } from "../../decide/row.ts";
import type { SignalType } from "../../model.ts";
import type { Row, Statement, Transaction } from "../connections/port.ts";
import { distinctIds } from "../parameters.ts";
import { msOf } from "../sql.ts";
import { rowColumns, rowOf } from "./columns.ts";

/** In the order of the ids, so that two transactions never wait for each other. NO KEY: inserts that refer to the row do not wait. */
export const lockStatement: Statement = {
  name: "lock",
  text: `SELECT ${rowColumns} FROM instances i WHERE i.instance_id = ANY ($1::text[]) ORDER BY i.instance_id FOR NO KEY UPDATE`,
};

export const pendingStatement: Statement = {
  name: "pending",
  text: `
SELECT g.instance_id, g.signal_type::text, g.payload, ${msOf("g.acknowledged_at")} FROM pending_signals g
WHERE g.instance_id = ANY ($1::text[])`,
};

/** Rows that are locked to the end of the transaction, and the payloads of their pending signals. */
export class LockedRows {
  readonly #rows = new Map<string, InstanceRow>();
  readonly #payloads = new Map<string, Uint8Array | null>();

  constructor(rows: Iterable<InstanceRow>, pending: readonly Row[]) {
    for (const row of rows) this.#rows.set(row.instanceId, row);
    for (const each of pending) {
      const [instanceId, type, payload, acknowledgedAtMs] = each as readonly [
        string,
        SignalType,
        Uint8Array | null,
        number | null,
      ];
      const row = this.#rows.get(instanceId);
      if (row === undefined) continue;
      if (acknowledgedAtMs === null) row.pendingSignal = type;
      else row.pauseAcknowledged = type === "pause" && acknowledgedAtMs >= (row.startedAtMs ?? 0);
      this.#payloads.set(instanceId, payload);
    }
  }

  get(instanceId: string): InstanceRow | undefined {
    return this.#rows.get(instanceId);
  }

  /** The row as a decision of this transaction has left it. */
  apply(changed: InstanceRow | undefined): void {
    if (changed !== undefined) this.#rows.set(changed.instanceId, changed);
  }

  signalPayload(instanceId: string): Uint8Array | null {
    return this.#payloads.get(instanceId) ?? null;
  }

  values(): IterableIterator<InstanceRow> {
    return this.#rows.values();
  }
}

/**
 * Locks the rows and reads them as they are now. The pending signals are read by a statement behind the lock: what a sender committed during
 * the wait is seen.
 */
export async function lockRows(transaction: Transaction, ids: Iterable<string>): Promise<LockedRows> {
  const wanted = distinctIds(ids);
  const [rows, pending] = await Promise.all([
    transaction.query(lockStatement, [wanted]),
    transaction.query(pendingStatement, [wanted]),
  ]);
  return new LockedRows(rows.rows.map(rowOf), pending.rows);
}

/** Completes rows that a statement of this transaction has locked already. */
export async function withPending(transaction: Transaction, rows: readonly InstanceRow[]): Promise<LockedRows> {
  const pending = await transaction.query(pendingStatement, [distinctIds(rows.map(({ instanceId }) => instanceId))]);
  return new LockedRows(rows, pending.rows);
}
