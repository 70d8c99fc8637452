import type {
  AcknowledgeSignal,
  AcknowledgeSignalResult,
  SendCustomSignal,
  SendCustomSignalResult,
  SendSignal,
  SendSignalResult,
} from "../../operations.ts";
import { type Context, unknownInstance } from "./context.ts";
import type { ApplyTransitions } from "./transitions.ts";

export function prepareSendSignal(
  { database, rows }: Context,
  applyTransitions: ApplyTransitions,
): (operation: SendSignal) => SendSignalResult {
  const upsert = database.prepare(
    `INSERT INTO pending_signals (instance_key, signal_type, payload, created_at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET signal_type = excluded.signal_type, payload = excluded.payload, created_at = excluded.created_at,
       acknowledged_at = NULL`,
  );
  const flag = database.prepare("UPDATE instances SET pending_signal = ? WHERE instance_key = ?");
  return ({ instanceId, signal, payload, allowedIn, transitions, nowMs }) => {
    const row = rows.get(instanceId);
    if (row === undefined) return unknownInstance;
    if (!allowedIn.includes(row.status)) return { outcome: "refused", status: row.status };
    if (row.pendingSignal === "cancel") return { outcome: "cancelKept", status: row.status };
    upsert.run(row.key, signal, payload ?? null, nowMs);
    flag.run(signal, row.key);
    row.pendingSignal = signal;
    applyTransitions(row, transitions);
    return { outcome: "sent", status: row.status };
  };
}

export function prepareAcknowledgeSignal(
  { database, rows }: Context,
  applyTransitions: ApplyTransitions,
): (operation: AcknowledgeSignal) => AcknowledgeSignalResult {
  const acknowledge = database.prepare("UPDATE pending_signals SET acknowledged_at = ? WHERE instance_key = ?");
  const unflag = database.prepare("UPDATE instances SET pending_signal = NULL WHERE instance_key = ?");
  return ({ instanceId, signal, transitions, nowMs }) => {
    const row = rows.get(instanceId);
    if (row === undefined) return unknownInstance;
    if (row.pendingSignal !== signal) return { outcome: "notPending", pending: row.pendingSignal ?? undefined };
    acknowledge.run(nowMs, row.key);
    unflag.run(row.key);
    row.pendingSignal = null;
    applyTransitions(row, transitions);
    rows.touch(row, nowMs);
    return { outcome: "acknowledged", status: row.status };
  };
}

export function prepareSendCustomSignal({
  database,
  rows,
}: Context): (operation: SendCustomSignal) => SendCustomSignalResult {
  const replace = database.prepare(
    `UPDATE pending_checkpoint_signals SET payload = ?, created_at = ? WHERE instance_key = ? AND checkpoint_id = ?`,
  );
  const insert = database.prepare(
    "INSERT INTO pending_checkpoint_signals (payload, created_at, instance_key, checkpoint_id) VALUES (?, ?, ?, ?)",
  );
  const countUp = database.prepare(
    "UPDATE instances SET custom_signal_count = custom_signal_count + 1 WHERE instance_key = ?",
  );
  return ({ instanceId, checkpointId, payload, nowMs }) => {
    const row = rows.get(instanceId);
    if (row === undefined) return unknownInstance;
    if (replace.run(payload ?? null, nowMs, row.key, checkpointId).changes === 0) {
      insert.run(payload ?? null, nowMs, row.key, checkpointId);
      countUp.run(row.key);
      row.customSignals += 1;
    }
    return { outcome: "sent" };
  };
}
