import type { Instance, InstanceStatus } from "../../model.ts";
import type {
  CreateInstance,
  CreateInstanceResult,
  ReadInstance,
  ReadInstanceResult,
  RegisterInstance,
  RegisterInstanceResult,
} from "../../operations.ts";
import type { InstanceRow } from "../instance-rows.ts";
import { type LoadState, prepareLoadState } from "./checkpoints.ts";
import { type Context, unknownInstance } from "./context.ts";

export function prepareCreateInstance({ database }: Context): (operation: CreateInstance) => CreateInstanceResult {
  const insert = prepareInsert(database);
  return ({ instanceId, tenantId, nowMs }) =>
    insert.run(instanceId, tenantId, nowMs).changes === 1 ? { outcome: "created" } : { outcome: "exists" };
}

function prepareInsert(database: Context["database"]) {
  return database.prepare(
    "INSERT INTO instances (instance_id, tenant_id, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  );
}

export function prepareRegisterInstance(context: Context): (operation: RegisterInstance) => RegisterInstanceResult {
  const { database, rows } = context;
  const loadState = prepareLoadState(context);
  const insert = prepareInsert(database);
  const start = database.prepare(
    `UPDATE instances SET status = 'running', epoch = epoch + 1, started_at = ?1, first_started_at = coalesce(first_started_at, ?1),
       finished_at = NULL, sleep_until = NULL, output = NULL, error = NULL
     WHERE instance_key = ?2`,
  );
  const insertStarted = database.prepare(
    `INSERT INTO instance_events (instance_key, event_type, checkpoint_id, created_at, received_at) VALUES (?1, 'started', ?2, ?3, ?3)`,
  );
  return ({ instanceId, tenantId, checkpointId, allowedIn, nowMs }) => {
    const before = rows.get(instanceId);
    if (checkpointId !== undefined && !hasCheckpoint(loadState, before?.key, checkpointId))
      return { outcome: "checkpointMissing" };
    if (before !== undefined && !allowedIn.includes(before.status))
      return { outcome: "refused", status: before.status };
    if (before === undefined) insert.run(instanceId, tenantId, nowMs);
    const row = rows.get(instanceId);
    if (row === undefined) throw new Error(`the row of instance '${instanceId}' is missing right after its insertion`);
    start.run(nowMs, row.key);
    insertStarted.run(row.key, checkpointId ?? null, nowMs);
    row.status = "running";
    row.epoch += 1;
    rows.touch(row, nowMs);
    return {
      outcome: "registered",
      epoch: row.epoch,
      checkpointCount: row.checkpointCount,
      created: before === undefined,
    };
  };
}

function hasCheckpoint(loadState: LoadState, key: number | undefined, checkpointId: string): boolean {
  return key !== undefined && loadState(key, checkpointId) !== undefined;
}

export const instanceColumns: string = `instance_id, tenant_id, status, checkpoint_id, checkpoint_count, epoch, created_at,
  first_started_at, started_at, finished_at, last_seen_at, output, error`;

export interface InstanceColumns {
  readonly instance_id: string;
  readonly tenant_id: string;
  readonly status: InstanceStatus;
  readonly checkpoint_id: string | null;
  readonly checkpoint_count: number;
  readonly epoch: number;
  readonly created_at: number;
  readonly first_started_at: number | null;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly last_seen_at: number | null;
  readonly output: Uint8Array | null;
  readonly error: string | null;
}

/** `row` has what the log knows beyond the table (CheckpointIndex). */
export function toInstance(columns: InstanceColumns, row: InstanceRow | undefined): Instance {
  return {
    instanceId: columns.instance_id,
    tenantId: columns.tenant_id,
    status: columns.status,
    checkpointId: row?.checkpointId ?? columns.checkpoint_id,
    checkpointCount: row?.checkpointCount ?? columns.checkpoint_count,
    epoch: columns.epoch,
    createdAtMs: columns.created_at,
    firstStartedAtMs: columns.first_started_at,
    startedAtMs: columns.started_at,
    finishedAtMs: columns.finished_at,
    lastSeenAtMs: row?.lastSeenAtMs ?? columns.last_seen_at,
    output: columns.output,
    error: columns.error,
  };
}

export function prepareReadInstance({ database, rows }: Context): (operation: ReadInstance) => ReadInstanceResult {
  const select = database.prepare(`SELECT ${instanceColumns} FROM instances WHERE instance_id = ?`);
  return ({ instanceId }) => {
    rows.writeTouched();
    const columns = select.get(instanceId) as unknown as InstanceColumns | undefined;
    return columns === undefined
      ? unknownInstance
      : { outcome: "found", instance: toInstance(columns, rows.get(instanceId)) };
  };
}
