import type { Statement } from "../connections/port.ts";
import { timestampOf } from "../sql.ts";

// One statement per table. Rows are numbered in the order of the arrays, so that "in the order of their saving" holds.

export const insertCheckpoints: Statement = {
  name: "checkpoints_insert",
  text: `
INSERT INTO checkpoints (instance_id, checkpoint_id, state, created_at)
SELECT instance_id, checkpoint_id, state, ${timestampOf("at_ms")}
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::int8[])
  WITH ORDINALITY AS t (instance_id, checkpoint_id, state, at_ms, ord) ORDER BY ord`,
};

export const insertEvents: Statement = {
  name: "events_insert",
  text: `
INSERT INTO instance_events (instance_id, event_type, subtype, checkpoint_id, payload, created_at, received_ms)
SELECT instance_id, event_type::instance_event_type, subtype, checkpoint_id, payload, ${timestampOf("created_ms")}, received_ms
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::int8[], $7::int8[])
  WITH ORDINALITY AS t (instance_id, event_type, subtype, checkpoint_id, payload, created_ms, received_ms, ord) ORDER BY ord`,
};

export const putRetries: Statement = {
  name: "retries_put",
  text: `
INSERT INTO retry_attempts (instance_id, checkpoint_id, attempt, position, error_message, created_ms, next_ms)
SELECT instance_id, checkpoint_id, attempt, nextval('checkpoints_id_seq'), error_message, created_ms, next_ms
FROM unnest($1::text[], $2::text[], $3::int8[], $4::text[], $5::int8[], $6::int8[])
  AS t (instance_id, checkpoint_id, attempt, error_message, created_ms, next_ms)
ON CONFLICT (instance_id, checkpoint_id, attempt) DO UPDATE
SET position = excluded.position, error_message = excluded.error_message, created_ms = excluded.created_ms, next_ms = excluded.next_ms`,
};

export const putPublished: Statement = {
  name: "published_put",
  text: `
INSERT INTO published_values (instance_id, key, value, updated_ms, version)
SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::int8[], $5::int8[])
ON CONFLICT (instance_id, key) DO UPDATE
SET value = excluded.value, updated_ms = excluded.updated_ms, version = excluded.version`,
};

export const forgetSleeps: Statement = {
  name: "sleeps_forget",
  text: "DELETE FROM sleeps WHERE instance_id = ANY ($1::text[])",
};

export const putSleeps: Statement = {
  name: "sleeps_put",
  text: `
INSERT INTO sleeps (instance_id, checkpoint_id, ordinal, epoch, finished, wake_ms, created_ms, state)
SELECT instance_id, checkpoint_id, ordinal, epoch, finished, wake_ms, created_ms, state
FROM unnest($1::text[], $2::text[], $3::int4[], $4::int8[], $5::bool[], $6::int8[], $7::int8[], $8::bytea[])
  AS t (instance_id, checkpoint_id, ordinal, epoch, finished, wake_ms, created_ms, state)
ON CONFLICT (instance_id, checkpoint_id, ordinal) DO UPDATE
SET epoch = excluded.epoch, finished = excluded.finished, wake_ms = excluded.wake_ms, state = excluded.state`,
};

/** The state stays. */
export const moveSleeps: Statement = {
  name: "sleeps_move",
  text: `
UPDATE sleeps AS s SET epoch = t.epoch, finished = t.finished, wake_ms = t.wake_ms
FROM unnest($1::text[], $2::text[], $3::int4[], $4::int8[], $5::bool[], $6::int8[])
  AS t (instance_id, checkpoint_id, ordinal, epoch, finished, wake_ms)
WHERE s.instance_id = t.instance_id AND s.checkpoint_id = t.checkpoint_id AND s.ordinal = t.ordinal`,
};

export const forgetLosses: Statement = {
  name: "losses_forget",
  text: `
DELETE FROM lost_work AS l USING unnest($1::text[], $2::text[]) AS t (worker_id, instance_id)
WHERE l.worker_id = t.worker_id AND l.instance_id = t.instance_id`,
};

export const noteLosses: Statement = {
  name: "losses_note",
  text: `
INSERT INTO lost_work (worker_id, instance_id) SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT DO NOTHING`,
};

/** The history's row of a whole-instance signal is the last one of its kinds. */
export const acknowledgePending: Statement = {
  name: "pending_acknowledge",
  text: `
WITH input AS (
  SELECT * FROM unnest($1::text[], $2::int8[]) AS t (instance_id, at_ms)
), acknowledged AS (
  UPDATE pending_signals AS g SET acknowledged_at = ${timestampOf("t.at_ms")} FROM input t
  WHERE g.instance_id = t.instance_id AND g.acknowledged_at IS NULL
)
UPDATE instance_signals AS s SET delivered_ms = t.at_ms FROM input t
WHERE s.instance_id = t.instance_id AND s.delivered_ms IS NULL AND s.signal_id = (
  SELECT max(l.signal_id) FROM instance_signals l
  WHERE l.instance_id = t.instance_id AND l.kind IN ('cancel', 'pause', 'resume')
)`,
};

export const putPending: Statement = {
  name: "pending_put",
  text: `
WITH input AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::int8[]) AS t (instance_id, type, payload, at_ms)
), put AS (
  INSERT INTO pending_signals (instance_id, signal_type, payload, created_at, acknowledged_at)
  SELECT instance_id, type::signal_type, payload, ${timestampOf("at_ms")}, NULL FROM input
  ON CONFLICT (instance_id) DO UPDATE SET signal_type = excluded.signal_type, payload = excluded.payload,
    created_at = excluded.created_at, acknowledged_at = NULL
)
INSERT INTO instance_signals (signal_id, instance_id, kind, payload, created_ms)
SELECT nextval('pending_checkpoint_signals_id_seq'), instance_id, type, payload, at_ms FROM input`,
};

export const putSlots: Statement = {
  name: "slots_put",
  text: `
INSERT INTO pending_checkpoint_signals (id, instance_id, checkpoint_id, payload, created_at)
SELECT id, instance_id, name, payload, ${timestampOf("at_ms")}
FROM unnest($1::int8[], $2::text[], $3::text[], $4::bytea[], $5::int8[]) AS t (id, instance_id, name, payload, at_ms)
ON CONFLICT (instance_id, checkpoint_id) DO UPDATE
SET id = excluded.id, payload = excluded.payload, created_at = excluded.created_at`,
};

export const insertSignals: Statement = {
  name: "signals_insert",
  text: `
INSERT INTO instance_signals (signal_id, instance_id, name, payload, created_ms, kind, message_id)
SELECT * FROM unnest($1::int8[], $2::text[], $3::text[], $4::bytea[], $5::int8[], $6::text[], $7::text[])`,
};

export const deliverSignals: Statement = {
  name: "signals_deliver",
  text: `
UPDATE instance_signals AS s SET delivered_ms = t.at_ms
FROM unnest($1::int8[], $2::int8[]) AS t (signal_id, at_ms) WHERE s.signal_id = t.signal_id AND s.delivered_ms IS NULL`,
};

export const removeSlots: Statement = {
  name: "slots_remove",
  text: "DELETE FROM pending_checkpoint_signals WHERE id = ANY ($1::int8[])",
};
