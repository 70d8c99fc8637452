import { limits } from "../../limits.ts";
import type { Statement } from "../connections/port.ts";
import { msOf } from "../sql.ts";

// Facts are read in the transaction, behind the lock of the rows. `ord` is the place of the operation (or of the row asked for) from 1.

/** $1 instance ids. */
export const lifeStatement: Statement = {
  name: "facts_life",
  text: `
SELECT t.ord, i.input, (SELECT count(*) FROM retry_attempts r WHERE r.instance_id = t.instance_id)
FROM unnest($1::text[]) WITH ORDINALITY AS t (instance_id, ord) JOIN instances i USING (instance_id)`,
};

/** $1 instance, $2 checkpoint id, $3 and $4 the retry record that the id may name. Those that exist. */
export const existsStatement: Statement = {
  name: "facts_exists",
  text: `
SELECT t.ord FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[])
  WITH ORDINALITY AS t (instance_id, checkpoint_id, base, attempt, ord)
WHERE EXISTS (SELECT FROM checkpoints c WHERE c.instance_id = t.instance_id AND c.checkpoint_id = t.checkpoint_id)
  OR EXISTS (SELECT FROM retry_attempts r WHERE r.instance_id = t.instance_id AND r.checkpoint_id = t.base AND r.attempt = t.attempt)`,
};

/** $1 instance, $2 checkpoint id. */
export const storedStatement: Statement = {
  name: "facts_stored",
  text: `
SELECT t.ord, c.state FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (instance_id, checkpoint_id, ord)
  JOIN checkpoints c USING (instance_id, checkpoint_id)`,
};

/** $1 instance, $2 name: what a call of the base protocol may take. */
export const takeableStatement: Statement = {
  name: "facts_takeable",
  text: `
SELECT t.ord, p.id, p.payload, q.signal_id, q.payload
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (instance_id, name, ord)
  LEFT JOIN pending_checkpoint_signals p ON p.instance_id = t.instance_id AND p.checkpoint_id = t.name
  LEFT JOIN LATERAL (
    SELECT s.signal_id, s.payload FROM instance_signals s
    WHERE s.kind = 'queued' AND s.delivered_ms IS NULL AND s.instance_id = t.instance_id AND s.name = t.name
    ORDER BY s.signal_id LIMIT 1
  ) q ON true
WHERE p.id IS NOT NULL OR q.signal_id IS NOT NULL`,
};

/**
 * $1 instance, $2 name, $3 after which id, $4 bytes: queued and slot signals, of each name the oldest, as far as the bytes of their payloads
 * reach, but at least one.
 */
export const waitingStatement: Statement = {
  name: "facts_waiting",
  text: `
SELECT t.ord, s.signal_id, s.name, s.payload, s.created_ms
FROM unnest($1::text[], $2::text[], $3::int8[]) WITH ORDINALITY AS t (instance_id, name, after_id, ord)
  CROSS JOIN LATERAL (
    (SELECT q.*, sum(coalesce(octet_length(q.payload), 0)) OVER (ORDER BY q.signal_id) - coalesce(octet_length(q.payload), 0) AS bytes
     FROM (
       SELECT n.signal_id, n.name, n.payload, n.created_ms FROM instance_signals n
       WHERE n.kind = 'queued' AND n.delivered_ms IS NULL AND n.instance_id = t.instance_id AND n.name = t.name AND n.signal_id > t.after_id
       ORDER BY n.signal_id LIMIT ${limits.queuedSignalsMax}
     ) AS q)
    UNION ALL
    (SELECT p.id, p.checkpoint_id, p.payload, ${msOf("p.created_at")}, 0 FROM pending_checkpoint_signals p
     WHERE p.instance_id = t.instance_id AND p.checkpoint_id = t.name AND p.id > t.after_id)
  ) s
WHERE s.bytes <= $4::int8
ORDER BY t.ord, s.signal_id`,
};

/** $1 instance, $2 id of a signal that an entry consumes: whether it waits, and where. */
export const consumableStatement: Statement = {
  name: "facts_consumable",
  text: `
SELECT t.ord, t.signal_id, q.signal_id IS NOT NULL
FROM unnest($1::text[], $2::int8[]) WITH ORDINALITY AS t (instance_id, signal_id, ord)
  LEFT JOIN instance_signals q
    ON q.signal_id = t.signal_id AND q.instance_id = t.instance_id AND q.kind = 'queued' AND q.delivered_ms IS NULL
  LEFT JOIN pending_checkpoint_signals p ON p.id = t.signal_id AND p.instance_id = t.instance_id
WHERE q.signal_id IS NOT NULL OR p.id IS NOT NULL`,
};

/** $1 instances that publish. */
export const publishedCountStatement: Statement = {
  name: "facts_published_count",
  text: `
SELECT t.ord, (SELECT count(*)::int4 FROM published_values p WHERE p.instance_id = t.instance_id)
FROM unnest($1::text[]) WITH ORDINALITY AS t (instance_id, ord)`,
};

/** $1 instance, $2 key. */
export const knownKeysStatement: Statement = {
  name: "facts_known_keys",
  text: `
SELECT t.ord, p.key FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (instance_id, key, ord)
  JOIN published_values p USING (instance_id, key)`,
};

/** $1 instance, $2 now: the next attempt that is awaited. */
export const nextRetryStatement: Statement = {
  name: "facts_next_retry",
  text: `
SELECT t.ord, (
  SELECT min(r.next_ms) FROM retry_attempts r
  WHERE r.instance_id = t.instance_id AND r.next_ms > t.now_ms
    AND NOT EXISTS (SELECT FROM checkpoints c WHERE c.instance_id = r.instance_id AND c.checkpoint_id = r.checkpoint_id)
)
FROM unnest($1::text[], $2::int8[]) WITH ORDINALITY AS t (instance_id, now_ms, ord)`,
};

/** $1 instance, $2 checkpoint id: the latest sleep of the present registration, and the one behind it. */
export const sleepsStatement: Statement = {
  name: "facts_sleeps",
  text: `
SELECT t.ord, l.ordinal, l.finished, l.wake_ms, e.wake_ms
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (instance_id, checkpoint_id, ord)
  JOIN instances i USING (instance_id)
  LEFT JOIN LATERAL (
    SELECT s.ordinal, s.finished, s.wake_ms FROM sleeps s
    WHERE s.instance_id = t.instance_id AND s.checkpoint_id = t.checkpoint_id AND s.epoch = i.epoch
    ORDER BY s.ordinal DESC LIMIT 1
  ) l ON true
  LEFT JOIN sleeps e
    ON e.instance_id = t.instance_id AND e.checkpoint_id = t.checkpoint_id AND e.ordinal = coalesce(l.ordinal, 0) + 1`,
};

/** $1 instance, $2 checkpoint id, $3 ordinal. */
export const sleepStatement: Statement = {
  name: "facts_sleep",
  text: `
SELECT t.ord, s.epoch, s.finished, s.wake_ms
FROM unnest($1::text[], $2::text[], $3::int4[]) WITH ORDINALITY AS t (instance_id, checkpoint_id, ordinal, ord)
  JOIN sleeps s USING (instance_id, checkpoint_id, ordinal)`,
};

/** $1 instance, $2 message id or NULL: the id of the signal to come, and that of an earlier one with the same message id. */
export const nextSignalStatement: Statement = {
  name: "facts_next_signal",
  text: `
SELECT t.ord, nextval('pending_checkpoint_signals_id_seq'),
  (SELECT s.signal_id FROM instance_signals s WHERE s.instance_id = t.instance_id AND s.message_id = t.message_id)
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (instance_id, message_id, ord)`,
};
