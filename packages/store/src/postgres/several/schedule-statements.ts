import type { Statement } from "../connections/port.ts";
import { lockOf } from "../sql.ts";

const columns = `s.tenant_id, s.schedule_id, s.workflow, s.input, s.cron, s.timezone, s.overlap, s.catch_up, s.inactive, s.next_fire_ms,
  s.last_instance_id, s.revision, s.lease_until_ms`;

/** So that of two that make one of the same id the second one sees the first. */
export const scheduleLockStatement: Statement = { name: "schedule_lock", text: `SELECT ${lockOf("schedules")}` };

/** $1 tenant, $2 id. Locked to the end of the transaction. */
export const readScheduleStatement: Statement = {
  name: "schedule_read",
  text: `SELECT ${columns} FROM workflow_schedules s WHERE s.tenant_id = $1 AND s.schedule_id = $2 FOR UPDATE`,
};

/** The columns in the order of reading, and $14 now. */
export const putScheduleStatement: Statement = {
  name: "schedule_put",
  text: `
INSERT INTO workflow_schedules (tenant_id, schedule_id, workflow, input, cron, timezone, overlap, catch_up, inactive, next_fire_ms, last_instance_id,
  revision, lease_until_ms, created_ms, updated_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
ON CONFLICT (tenant_id, schedule_id) DO UPDATE SET workflow = excluded.workflow, input = excluded.input, cron = excluded.cron,
  timezone = excluded.timezone, overlap = excluded.overlap, catch_up = excluded.catch_up, inactive = excluded.inactive,
  next_fire_ms = excluded.next_fire_ms, revision = excluded.revision, updated_ms = excluded.updated_ms`,
};

export const deleteScheduleStatement: Statement = {
  name: "schedule_delete",
  text: "DELETE FROM workflow_schedules WHERE tenant_id = $1 AND schedule_id = $2",
};

/** $1 tenant, $2 behind which id, $3 how many. */
export const listSchedulesStatement: Statement = {
  name: "schedule_list",
  text: `
SELECT ${columns} FROM workflow_schedules s WHERE s.tenant_id = $1 AND s.schedule_id > $2
ORDER BY s.schedule_id LIMIT $3`,
};

/** $1 now, $2 how many. Locked to the end of the transaction; what another one has locked is passed over. */
export const dueSchedulesStatement: Statement = {
  name: "schedule_due",
  text: `
SELECT ${columns} FROM workflow_schedules s
WHERE s.next_fire_ms IS NOT NULL AND s.next_fire_ms <= $1::int8 AND coalesce(s.lease_until_ms, 0) <= $1::int8
ORDER BY s.next_fire_ms, s.tenant_id, s.schedule_id LIMIT $2 FOR UPDATE SKIP LOCKED`,
};

/** $1 tenants, $2 ids, $3 end of the lease. */
export const leaseSchedulesStatement: Statement = {
  name: "schedule_lease",
  text: `
UPDATE workflow_schedules AS s SET lease_until_ms = $3 FROM unnest($1::text[], $2::text[]) AS t (tenant_id, schedule_id)
WHERE s.tenant_id = t.tenant_id AND s.schedule_id = t.schedule_id`,
};

/** $1 now. Of those that lie ahead the time, of those that are due the end of the lease. */
export const nextScheduleStatement: Statement = {
  name: "schedule_next",
  text: `
SELECT least(
  (SELECT min(next_fire_ms) FROM workflow_schedules WHERE next_fire_ms IS NOT NULL AND next_fire_ms > $1::int8),
  (SELECT min(greatest(next_fire_ms, lease_until_ms)) FROM workflow_schedules WHERE next_fire_ms IS NOT NULL AND next_fire_ms <= $1::int8)
)`,
};

/** $1 tenant, $2 id, $3 next time, $4 last instance, $5 lease. */
export const moveScheduleStatement: Statement = {
  name: "schedule_move",
  text: `
UPDATE workflow_schedules SET next_fire_ms = $3, last_instance_id = $4, lease_until_ms = $5 WHERE tenant_id = $1 AND schedule_id = $2`,
};
