import { limits } from "../../limits.ts";
import type { EventType } from "../../model.ts";
import type {
  ListCheckpoints,
  ListCheckpointsResult,
  ListEvents,
  ListEventsResult,
  ListInstances,
  ListInstancesResult,
  ListRetries,
  ListRetriesResult,
  Page,
} from "../../operations.ts";
import type { Context } from "./context.ts";
import { type InstanceColumns, instanceColumns, toInstance } from "./instances.ts";

function limitOf(page: Page): number {
  return Math.min(page.limit, limits.listRowsMax);
}

export function prepareListInstances({ database, rows }: Context): (operation: ListInstances) => ListInstancesResult {
  const select = database.prepare(
    `SELECT ${instanceColumns} FROM instances WHERE (?1 IS NULL OR tenant_id = ?1) AND (?2 IS NULL OR status = ?2)
     ORDER BY created_at DESC, instance_key DESC LIMIT ?3 OFFSET ?4`,
  );
  return ({ tenantId, status, ...page }) => {
    rows.writeTouched();
    const found = select.all(tenantId ?? null, status ?? null, limitOf(page), page.offset ?? 0);
    const instances = found as unknown as InstanceColumns[];
    return { instances: instances.map((columns) => toInstance(columns, rows.get(columns.instance_id))) };
  };
}

export function prepareListCheckpoints({
  database,
  rows,
}: Context): (operation: ListCheckpoints) => ListCheckpointsResult {
  const select = database.prepare(
    `SELECT checkpoint_id, created_at, length(state) AS state_bytes FROM checkpoints
     WHERE id IN (
       SELECT id FROM checkpoint_ids WHERE instance_key = ?1
       UNION ALL
       SELECT id FROM checkpoints WHERE id > (SELECT indexed_up_to FROM checkpoint_index_state) AND instance_key = ?1
     )
     ORDER BY created_at DESC, id DESC LIMIT ?2 OFFSET ?3`,
  );
  return ({ instanceId, ...page }) => {
    const row = rows.get(instanceId);
    if (row === undefined) return { checkpoints: [] };
    const found = select.all(row.key, limitOf(page), page.offset ?? 0);
    return {
      checkpoints: found.map((columns) => ({
        checkpointId: columns.checkpoint_id as string,
        createdAtMs: columns.created_at as number,
        stateBytes: columns.state_bytes as number,
      })),
    };
  };
}

export function prepareListEvents({ database, rows }: Context): (operation: ListEvents) => ListEventsResult {
  const select = database.prepare(
    `SELECT event_type, subtype, checkpoint_id, payload, created_at, received_at FROM instance_events WHERE instance_key = ?
     ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`,
  );
  return ({ instanceId, ...page }) => {
    const row = rows.get(instanceId);
    if (row === undefined) return { events: [] };
    const found = select.all(row.key, limitOf(page), page.offset ?? 0);
    return {
      events: found.map((columns) => ({
        type: columns.event_type as EventType,
        subtype: columns.subtype as string | null,
        checkpointId: columns.checkpoint_id as string | null,
        payload: columns.payload as Uint8Array | null,
        createdAtMs: columns.created_at as number,
        receivedAtMs: columns.received_at as number,
      })),
    };
  };
}

export function prepareListRetries({ database, rows }: Context): (operation: ListRetries) => ListRetriesResult {
  const select = database.prepare(
    `SELECT attempt, error_message, created_at FROM retry_attempts WHERE instance_key = ? AND checkpoint_id = ?
     ORDER BY attempt LIMIT ? OFFSET ?`,
  );
  return ({ instanceId, checkpointId, ...page }) => {
    const row = rows.get(instanceId);
    if (row === undefined) return { retries: [] };
    const found = select.all(row.key, checkpointId, limitOf(page), page.offset ?? 0);
    return {
      retries: found.map((columns) => ({
        attempt: columns.attempt as number,
        error: columns.error_message as string | null,
        createdAtMs: columns.created_at as number,
      })),
    };
  };
}
