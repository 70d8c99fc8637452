import { acceptingStatuses } from "../../lifecycle/transition.ts";
import type { Statement } from "../connections/port.ts";
import { listed, msOf } from "../sql.ts";

const accepting = listed(acceptingStatuses("save"));

/**
 * All saves of a batch: $1 instance, $2 checkpoint id, $3 state, $4 epoch or NULL, $5 takes signals, $6 another of the instance does,
 * $7 time of each; $8 the instances.
 *
 * The rows of the instances are locked first, in their order, and to the end, so that no registration, end or fencing comes between check
 * and insert; status, epoch and the number of queued signals come from the locked rows, which are the newest. What another transaction
 * committed while this one waited for a lock is newer than its snapshot: ON CONFLICT sees such a checkpoint, the last SELECT does not
 * (found, without bytes). Calls of an instance with queued signals, one of which may take one, are left to `decide`: the oldest has to be
 * chosen.
 *
 * A row comes back for each call that is not just saved; no row = saved, nothing else to tell.
 */
export const saveStatement: Statement = {
  name: "save",
  text: `
WITH input AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::int8[], $5::bool[], $6::bool[], $7::int8[])
    WITH ORDINALITY AS t (instance_id, checkpoint_id, state, epoch, takes, together, at_ms, ord)
), locked AS MATERIALIZED (
  SELECT instance_id, status, epoch, queued_signals FROM instances
  WHERE instance_id = ANY ($8::text[]) ORDER BY instance_id FOR NO KEY UPDATE
), accepted AS MATERIALIZED (
  SELECT i.* FROM input i JOIN locked l USING (instance_id)
  WHERE l.status IN (${accepting}) AND (i.epoch IS NULL OR i.epoch = l.epoch) AND NOT (i.together AND l.queued_signals > 0)
), inserted AS (
  INSERT INTO checkpoints (instance_id, checkpoint_id, state, created_at)
  SELECT instance_id, checkpoint_id, state, to_timestamp(at_ms::float8 / 1000) FROM accepted ORDER BY ord
  ON CONFLICT (instance_id, checkpoint_id) DO NOTHING
  RETURNING id, instance_id, checkpoint_id, created_at
), moved AS (
  UPDATE instances AS n SET checkpoint_id = s.last, checkpoint_count = n.checkpoint_count + s.rows,
    last_seen_ms = greatest(n.last_seen_ms, s.at_ms)
  FROM (
    SELECT instance_id, count(*) AS rows, ${msOf("max(created_at)")} AS at_ms,
      (array_agg(checkpoint_id ORDER BY id DESC))[1] AS last
    FROM inserted GROUP BY instance_id
  ) AS s
  WHERE n.instance_id = s.instance_id AND n.instance_id = ANY ($8::text[])
), slots AS (
  DELETE FROM pending_checkpoint_signals AS p USING accepted a
  WHERE a.takes AND p.instance_id = a.instance_id AND p.checkpoint_id = a.checkpoint_id
  RETURNING p.instance_id, p.checkpoint_id, p.id, p.payload, a.at_ms
), delivered AS (
  UPDATE instance_signals AS h SET delivered_ms = s.at_ms FROM slots s WHERE h.signal_id = s.id AND h.delivered_ms IS NULL
)
SELECT i.ord, l.status::text, l.epoch, l.queued_signals, n.id IS NOT NULL, c.state, g.signal_type::text, g.payload, s.id, s.payload
FROM input i
  LEFT JOIN locked l ON l.instance_id = i.instance_id
  LEFT JOIN inserted n ON n.instance_id = i.instance_id AND n.checkpoint_id = i.checkpoint_id
  LEFT JOIN LATERAL (
    SELECT c.state FROM checkpoints c
    WHERE n.id IS NULL AND c.instance_id = i.instance_id AND c.checkpoint_id = i.checkpoint_id LIMIT 1
  ) c ON true
  LEFT JOIN LATERAL (
    SELECT p.instance_id, p.signal_type, p.payload FROM pending_signals p
    WHERE p.instance_id = i.instance_id AND p.acknowledged_at IS NULL LIMIT 1
  ) g ON true
  LEFT JOIN slots s ON s.instance_id = i.instance_id AND s.checkpoint_id = i.checkpoint_id
WHERE n.id IS NULL OR g.instance_id IS NOT NULL OR s.id IS NOT NULL`,
};
