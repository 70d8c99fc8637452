import type { AppendEvent, AppendEventResult } from "../../operations.ts";
import { type Context, unknownInstance } from "./context.ts";
import type { ApplyTransitions } from "./transitions.ts";

export function prepareAppendEvent(
  { database, rows }: Context,
  applyTransitions: ApplyTransitions,
): (operation: AppendEvent) => AppendEventResult {
  const insert = database.prepare(
    `INSERT INTO instance_events (instance_key, event_type, subtype, checkpoint_id, created_at, received_at, payload)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  return ({ instanceId, type, checkpointId, payload, subtype, createdAtMs, transitions, nowMs }) => {
    const row = rows.get(instanceId);
    if (row === undefined) return unknownInstance;
    insert.run(row.key, type, subtype ?? null, checkpointId ?? null, createdAtMs, nowMs, payload ?? null);
    applyTransitions(row, transitions);
    rows.touch(row, nowMs);
    return { outcome: "stored", status: row.status };
  };
}
