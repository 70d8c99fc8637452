import type { DatabaseSync } from "node:sqlite";

/** The original's times are texts, `YYYY-MM-DD HH:MM:SS` or RFC 3339; ours are milliseconds. What is no time counts as none. */
const ms = (column: string): string => `CAST(round(unixepoch(${column}, 'subsec') * 1000) AS INTEGER)`;

const known = "('pending', 'running', 'suspended', 'completed', 'failed', 'cancelled')";
const ended = "('completed', 'failed', 'cancelled')";
/** The original checks no types; a signal of another one says nothing to anybody and is left out. */
const orders = "('cancel', 'pause', 'resume')";

/** Fills our tables from the original's under their other names. Bytes and ids stay as they are; an id of a retry stays a checkpoint. */
export function copyOriginal(database: DatabaseSync): void {
  for (const sql of [
    instances,
    inputs,
    checkpoints,
    index,
    indexState,
    counts,
    events,
    signals,
    pending,
    slots,
    slotIds,
    slotCounts,
  ]) {
    database.exec(sql);
  }
}

const instances = `
INSERT INTO instances (instance_id, tenant_id, status, reason, reason_text, checkpoint_id, created_at, first_started_at, started_at, finished_at,
  sleep_until, last_seen_at, error, output, stderr, memory_peak_bytes, cpu_usage_usec, pending_signal)
SELECT o.instance_id, o.tenant_id, iif(o.status IN ${known}, o.status, 'failed'),
  iif(o.status IN ('completed', 'failed'), 'reported', iif(o.status = 'cancelled', 'cancelled', NULL)),
  iif(o.status IN ${known}, NULL, 'status was ' || o.status), o.checkpoint_id, coalesce(${ms("o.created_at")}, 0), ${ms("o.started_at")},
  ${ms("o.started_at")},
  iif(o.status IN ${ended} OR o.status NOT IN ${known}, coalesce(${ms("o.finished_at")}, ${ms("o.started_at")}, ${ms("o.created_at")}, 0), ${ms("o.finished_at")}),
  ${ms("o.sleep_until")}, ${ms("o.started_at")}, o.error, CAST(o.output AS BLOB), o.stderr, o.memory_peak_bytes, o.cpu_usage_usec,
  (SELECT signal_type FROM original_pending_signals AS s
    WHERE s.instance_id = o.instance_id AND s.acknowledged_at IS NULL AND signal_type IN ${orders})
FROM original_instances AS o ORDER BY o.created_at, o.instance_id`;

const inputs = `
INSERT INTO instance_inputs (instance_key, input)
SELECT instance_key, CAST(input AS BLOB) FROM original_instances JOIN instances USING (instance_id) WHERE input IS NOT NULL`;

const checkpoints = `
INSERT INTO checkpoints (id, instance_key, checkpoint_id, created_at, state)
SELECT id, instance_key, o.checkpoint_id, coalesce(${ms("o.created_at")}, 0), CAST(state AS BLOB)
FROM original_checkpoints AS o JOIN instances USING (instance_id) ORDER BY id`;

const index = `
INSERT INTO checkpoint_ids (instance_key, checkpoint_id, id)
SELECT instance_key, checkpoint_id, id FROM checkpoints ORDER BY instance_key, checkpoint_id`;

const indexState = `
UPDATE checkpoint_index_state SET indexed_up_to = (SELECT coalesce(max(id), 0) FROM checkpoints),
  last_id = (SELECT coalesce(max(id), 0) FROM checkpoints)`;

const counts = `
UPDATE instances SET counted_up_to = (SELECT indexed_up_to FROM checkpoint_index_state),
  checkpoint_count = (SELECT count(*) FROM checkpoint_ids AS i WHERE i.instance_key = instances.instance_key)`;

const events = `
INSERT INTO instance_events (id, instance_key, event_type, subtype, checkpoint_id, created_at, received_at, payload)
SELECT id, instance_key, iif(event_type IN ('started', 'heartbeat', 'completed', 'failed', 'suspended'), event_type, 'custom'), subtype,
  o.checkpoint_id, coalesce(${ms("o.created_at")}, 0), coalesce(${ms("o.created_at")}, 0), CAST(payload AS BLOB)
FROM original_instance_events AS o JOIN instances USING (instance_id) ORDER BY id`;

const signals = `
INSERT INTO instance_signals (instance_key, kind, payload, created_at, delivered_at)
SELECT instance_key, signal_type, CAST(payload AS BLOB), coalesce(${ms("o.created_at")}, 0), ${ms("o.acknowledged_at")}
FROM original_pending_signals AS o JOIN instances USING (instance_id) WHERE signal_type IN ${orders} ORDER BY o.created_at`;

const pending = `
INSERT INTO pending_signals (instance_key, signal_type, payload, created_at, acknowledged_at)
SELECT instance_key, kind, payload, created_at, delivered_at FROM instance_signals`;

const slots = `
INSERT INTO instance_signals (instance_key, kind, name, payload, created_at)
SELECT instance_key, 'slot', o.checkpoint_id, CAST(payload AS BLOB), coalesce(${ms("o.created_at")}, 0)
FROM original_pending_custom_signals AS o JOIN instances USING (instance_id) ORDER BY o.created_at`;

const slotIds = `
INSERT INTO pending_checkpoint_signals (instance_key, checkpoint_id, created_at, payload, signal_id)
SELECT instance_key, name, created_at, payload, signal_id FROM instance_signals WHERE kind = 'slot'`;

const slotCounts = `
UPDATE instances SET custom_signal_count =
  (SELECT count(*) FROM pending_checkpoint_signals AS s WHERE s.instance_key = instances.instance_key)`;
