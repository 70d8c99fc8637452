import { acceptingStatuses } from "../../lifecycle/transition.ts";
import { instanceStatuses } from "../../model.ts";
import type { Statement } from "../connections/port.ts";
import { listed } from "../sql.ts";

const accepting = acceptingStatuses("save");
const refusing = listed(instanceStatuses.filter((status) => !accepting.includes(status)));

/**
 * Saves of new checkpoints of instances that accept them and have no signals, one of each instance: $1 instance, $2 checkpoint id, $3 state,
 * $4 epoch or NULL, $5 time of each; $6 how many. It leaves alone whatever else is among them.
 *
 * The UPDATE is lock and check in one: a row that it had to wait for is judged as it is then, and stays locked to the end of the transaction,
 * so that no registration, end or fencing comes between check and insert. What another transaction committed while this one waited is newer
 * than its snapshot: such a checkpoint makes the insert fail with SQLSTATE 23505, and the repetition finds it.
 *
 * The text leaves the planner little choice, as it is planned once, perhaps when it takes the tables for empty: what may hinder a save is
 * looked up call by call (the checkpoint as the first from the wanted id on, in the order of the unique index); instances are entered by the
 * ids of the batch alone, because no index knows the other conditions; and the series, which numbers the calls, lets it expect many of them,
 * so that they are joined by a hash.
 *
 * No row = all are saved; else one with the numbers of those that were.
 */
export const saveNewStatement: Statement = {
  name: "save_new",
  text: `
WITH fresh AS MATERIALIZED (
  SELECT t.* FROM ROWS FROM (
    unnest($1::text[]), unnest($2::text[]), unnest($3::bytea[]), unnest($4::int8[]), unnest($5::int8[]), generate_series(1, $6::int8)
  ) AS t (instance_id, checkpoint_id, state, epoch, at_ms, number)
  WHERE (
    SELECT c.checkpoint_id FROM checkpoints c
    WHERE c.instance_id = t.instance_id AND c.checkpoint_id >= t.checkpoint_id ORDER BY c.checkpoint_id LIMIT 1
  ) IS DISTINCT FROM t.checkpoint_id
  AND (
    SELECT p.instance_id FROM pending_checkpoint_signals p
    WHERE p.instance_id = t.instance_id AND p.checkpoint_id = t.checkpoint_id
  ) IS DISTINCT FROM t.instance_id
  AND (
    SELECT g.instance_id FROM pending_signals g WHERE g.instance_id = t.instance_id AND g.acknowledged_at IS NULL
  ) IS DISTINCT FROM t.instance_id
), moved AS (
  UPDATE instances AS n SET checkpoint_id = f.checkpoint_id, checkpoint_count = n.checkpoint_count + 1,
    last_seen_ms = greatest(n.last_seen_ms, f.at_ms)
  FROM fresh f
  WHERE n.instance_id = f.instance_id AND n.instance_id = ANY ($1::text[])
    AND n.status::text NOT IN (${refusing}) AND n.epoch = coalesce(f.epoch, n.epoch)
    AND NOT n.queued_signals > 0
  RETURNING f.number, f.instance_id, f.checkpoint_id, f.state, f.at_ms
), inserted AS (
  INSERT INTO checkpoints (instance_id, checkpoint_id, state, created_at)
  SELECT instance_id, checkpoint_id, state, to_timestamp(at_ms::float8 / 1000) FROM moved
)
SELECT coalesce(array_agg(m.number), '{}') FROM moved m HAVING count(*) <> $6::int8`,
};
