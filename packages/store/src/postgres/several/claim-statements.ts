import type { Statement } from "../connections/port.ts";
import { rowColumns } from "../rows/columns.ts";
import { lockOf } from "../sql.ts";

/** $1 worker, $2 the end of its lease, which never shrinks. Its row stays locked: claims of one worker take turns. */
export const leaseStatement: Statement = {
  name: "claim_lease",
  text: `
INSERT INTO workers AS w (worker_id, lease_until_ms) VALUES ($1, $2)
ON CONFLICT (worker_id) DO UPDATE SET lease_until_ms = greatest(w.lease_until_ms, excluded.lease_until_ms)
RETURNING lease_until_ms, claims`,
};

/** $1 worker, $2 the sequence that it has got: what later answers brought it. */
export const unconfirmedStatement: Statement = {
  name: "claim_unconfirmed",
  text: `
SELECT ${rowColumns} FROM instances i
WHERE i.holder = $1 AND i.status = 'running' AND i.claim_sequence > $2::int8
ORDER BY i.instance_id FOR NO KEY UPDATE`,
};

/** One count and one claim at a time on the whole database. */
export const capacityLockStatement: Statement = {
  name: "claim_capacity_lock",
  text: `SELECT ${lockOf("running")}`,
};

export const runningStatement: Statement = {
  name: "claim_running",
  text: "SELECT count(*) FROM instances WHERE status = 'running'",
};

/**
 * $1 and $2 workflows and versions, $3 tenant, $4 now, $5 how many. Rows that another claim works on are skipped. Those locked beyond the
 * outer limit are free again with the end of the transaction.
 */
export const readyStatement: Statement = {
  name: "claim_ready",
  text: `
SELECT ${rowColumns}, octet_length(i.input), NULL::int8
FROM unnest($1::text[], $2::text[]) AS o (workflow, version)
  CROSS JOIN LATERAL (
    SELECT * FROM instances r
    WHERE r.tenant_id = $3 AND r.workflow = o.workflow AND coalesce(r.version, '') = o.version AND r.ready_ms <= $4::int8
      AND r.status IN ('pending', 'suspended')
    ORDER BY r.ready_ms, r.instance_id COLLATE "C" LIMIT $5 FOR NO KEY UPDATE SKIP LOCKED
  ) AS i
ORDER BY i.ready_ms, i.instance_id COLLATE "C" LIMIT $5`,
};

/**
 * Running ones whose holder's lease has ended. FOR SHARE of the holder: a renewal under way is passed over, one that came first makes the row
 * fail, and its worker keeps its work.
 */
export const endedLeaseStatement: Statement = {
  name: "claim_ended_lease",
  text: `
SELECT ${rowColumns}, octet_length(i.input), w.lease_until_ms
FROM workers w JOIN instances i ON i.holder = w.worker_id
WHERE w.lease_until_ms <= $4::int8 AND i.tenant_id = $3 AND i.status = 'running'
  AND EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS o (workflow, version)
    WHERE o.workflow = i.workflow AND o.version = coalesce(i.version, ''))
ORDER BY w.lease_until_ms, i.instance_id COLLATE "C" LIMIT $5
FOR NO KEY UPDATE OF i SKIP LOCKED FOR SHARE OF w SKIP LOCKED`,
};

/** $1 worker, $2 sequence of its last answer with new work. */
export const sequenceStatement: Statement = {
  name: "claim_sequence",
  text: "UPDATE workers SET claims = $2 WHERE worker_id = $1",
};

/** $1 and $2 offers, $3 tenant, $4 now: the next ready time, and the next end of a lease. */
export const nextReadyStatement: Statement = {
  name: "claim_next",
  text: `
SELECT least(
  (SELECT min(n.ready_ms) FROM unnest($1::text[], $2::text[]) AS o (workflow, version)
     CROSS JOIN LATERAL (
       SELECT r.ready_ms FROM instances r
       WHERE r.tenant_id = $3 AND r.workflow = o.workflow AND coalesce(r.version, '') = o.version AND r.ready_ms > $4::int8
         AND r.status IN ('pending', 'suspended')
       ORDER BY r.ready_ms LIMIT 1
     ) AS n),
  (SELECT min(w.lease_until_ms) FROM workers w
   WHERE w.lease_until_ms > $4::int8 AND EXISTS (
     SELECT FROM instances i JOIN unnest($1::text[], $2::text[]) AS o (workflow, version)
       ON o.workflow = i.workflow AND o.version = coalesce(i.version, '')
     WHERE i.holder = w.worker_id AND i.tenant_id = $3 AND i.status = 'running'))
)`,
};
