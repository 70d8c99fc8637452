import { isFinal } from "../../lifecycle/transition.ts";
import { limits } from "../../limits.ts";
import { instanceStatuses } from "../../model.ts";
import type { Statement } from "../connections/port.ts";
import { listed, lockOf, microsOf, msOf, timestampOf, timestampOfMicros } from "../sql.ts";

const final = listed(instanceStatuses.filter(isFinal));

/** As `removable` says: its effects carried out, no child that has not ended. A subquery for one value is never made a hash of all instances. */
const removable = `NOT i.unsettled AND (
  SELECT c.status FROM instances c WHERE c.parent_id = i.instance_id AND c.status NOT IN (${final}) LIMIT 1) IS NULL`;

/** Some ends that the original wrote have no time. Index instances_by_end is on these very words. */
const endedAt = "coalesce(i.finished_at, i.created_at)";

/** Two sweeps of one database take turns: then nobody else deletes what one has found. */
export const turnStatement: Statement = {
  name: "remove_turn",
  text: `SELECT ${lockOf("retention")}`,
};

/**
 * Ended instances behind a place. $1 and $2 the place: end in microseconds (NULL = the beginning) and id; $3 only those that ended before, or
 * NULL; $4 those that ended before go whole, or NULL; $5 how many. Gives id, end in microseconds, whether its rows may go, whether all of it.
 */
export const endedStatement: Statement = {
  name: "remove_ended",
  text: `
SELECT i.instance_id, ${microsOf(endedAt)}, ${removable}, coalesce(${endedAt} < ${timestampOf("$4::int8")}, false)
FROM instances i
WHERE i.status IN (${final})
  AND (${endedAt}, i.instance_id COLLATE "C") > (coalesce(${timestampOfMicros("$1")}, '-infinity'), $2::text)
  AND ${endedAt} < coalesce(${timestampOf("$3::int8")}, 'infinity')
ORDER BY ${endedAt}, i.instance_id COLLATE "C" LIMIT $5`,
};

/**
 * $1 instances, $2 whether they go whole, $3 else rows before this time (NULL = none), $4 how many. Rows of an instance are looked at in the order
 * in which they came: where the first is too young nothing else is read.
 */
function removeRows(table: string, key: string, order: string, before: (row: string) => string): Statement {
  const first = `SELECT ${before("f")} FROM ${table} f WHERE f.instance_id = t.instance_id ORDER BY f.${order} LIMIT 1`;
  const same = key.split(", ").map((column) => `d.${column} = old.${column}`);
  return {
    name: `remove_${table}`,
    text: `
WITH old AS MATERIALIZED (
  SELECT r.* FROM unnest($1::text[], $2::bool[]) AS t (instance_id, whole)
    JOIN instances i ON i.instance_id = t.instance_id AND i.status IN (${final})
    CROSS JOIN LATERAL (
      SELECT * FROM ${table} s WHERE s.instance_id = t.instance_id
      ORDER BY s.${order} LIMIT greatest($4::int8, ${limits.removeLooksMax})
    ) AS r
  WHERE (t.whole OR (${first})) AND (t.whole OR ${before("r")}) LIMIT $4
)
DELETE FROM ${table} d USING old WHERE ${same.join(" AND ")}`,
  };
}

export const checkpointsStatement: Statement = removeRows(
  "checkpoints",
  "instance_id, id",
  "id",
  (row) => `${row}.created_at < ${timestampOf("$3::int8")}`,
);

export const retriesStatement: Statement = removeRows(
  "retry_attempts",
  "instance_id, checkpoint_id, attempt",
  "position",
  (row) => `${row}.created_ms < $3::int8`,
);

export const eventsStatement: Statement = removeRows(
  "instance_events",
  "id",
  "id",
  (row) => `coalesce(${row}.received_ms, ${msOf(`${row}.created_at`)}) < $3::int8`,
);

/** $1 instances, $2 ended before, $3 how many. With them goes what refers to them (signals, sleeps, published values), and what workers are to be told of them. */
export const instancesStatement: Statement = {
  name: "remove_instances",
  text: `
WITH gone AS (
DELETE FROM instances WHERE instance_id = ANY (ARRAY (
  SELECT i.instance_id FROM unnest($1::text[]) AS t (instance_id) JOIN instances i ON i.instance_id = t.instance_id
  WHERE i.status IN (${final}) AND ${removable} AND ${endedAt} < ${timestampOf("$2::int8")}
    AND (SELECT c.id FROM checkpoints c WHERE c.instance_id = i.instance_id LIMIT 1) IS NULL
    AND (SELECT e.id FROM instance_events e WHERE e.instance_id = i.instance_id LIMIT 1) IS NULL
    AND (SELECT r.attempt FROM retry_attempts r WHERE r.instance_id = i.instance_id LIMIT 1) IS NULL
  LIMIT $3 FOR UPDATE OF i SKIP LOCKED
)) RETURNING instance_id
), forgotten AS (
  DELETE FROM lost_work WHERE instance_id = ANY (ARRAY (SELECT instance_id FROM gone))
)
SELECT instance_id FROM gone`,
};

/** $1 when the lease ended at the latest. */
export const workersStatement: Statement = {
  name: "remove_workers",
  text: `
WITH gone AS (
  DELETE FROM workers WHERE worker_id = ANY (ARRAY (
    SELECT w.worker_id FROM workers w
    WHERE w.lease_until_ms <= $1::int8 AND NOT EXISTS (SELECT FROM instances i WHERE i.holder = w.worker_id)
    ORDER BY w.lease_until_ms LIMIT ${limits.removeLooksMax} FOR UPDATE SKIP LOCKED
  )) RETURNING worker_id
)
DELETE FROM lost_work WHERE worker_id = ANY (ARRAY (SELECT worker_id FROM gone))`,
};
