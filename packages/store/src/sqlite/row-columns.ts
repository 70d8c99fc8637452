import type { InstanceRow } from "../decide/row.ts";
import type { InstanceStatus, SignalType, StatusReason } from "../model.ts";
import type { Value } from "./statements.ts";

/** An instance's row in the table, in the order of `selectedColumns`. */
export type Columns = readonly [
  key: number,
  instanceId: string,
  tenantId: string,
  status: InstanceStatus,
  reason: StatusReason | null,
  reasonText: string | null,
  exitCode: number | null,
  epoch: number,
  seed: Uint8Array | null,
  run: number,
  lastMessage: number,
  workflow: string | null,
  version: string | null,
  createdAtMs: number,
  firstStartedAtMs: number | null,
  startedAtMs: number | null,
  finishedAtMs: number | null,
  lastSeenAtMs: number | null,
  checkpointId: string | null,
  checkpointCount: number,
  timeoutMs: number | null,
  usedMs: number,
  readyAtMs: number | null,
  waitingFor: string | null,
  recordedSignal: SignalType | null,
  dueAtMs: number | null,
  holder: string | null,
  claimSequence: number | null,
  parentId: string | null,
  resultSignal: string | null,
  detached: number,
  childCount: number,
  unsettled: number,
  queuedSignals: number,
  changes: number,
  pendingSignal: SignalType | null,
  pauseAcknowledged: number,
  slots: number,
  countedUpTo: number,
];

export const selectedColumns: string = `instance_key, instance_id, tenant_id, status, reason, reason_text, exit_code, epoch, seed, run, last_message,
  workflow, version, created_at, first_started_at, started_at, finished_at, last_seen_at, checkpoint_id, checkpoint_count, timeout_ms,
  used_ms, ready_at, waiting_for, recorded_signal, due_at, holder, claim_sequence, parent_id, result_signal, detached, child_count,
  unsettled, queued_signal_count, changes, pending_signal, pause_acknowledged, custom_signal_count, counted_up_to`;

export function toRow(columns: Columns): InstanceRow {
  return {
    instanceId: columns[1],
    tenantId: columns[2],
    status: columns[3],
    reason: columns[4],
    reasonText: columns[5],
    exitCode: columns[6],
    epoch: columns[7],
    seed: columns[8],
    run: columns[9],
    lastMessage: columns[10],
    workflow: columns[11],
    version: columns[12],
    createdAtMs: columns[13],
    firstStartedAtMs: columns[14],
    startedAtMs: columns[15],
    finishedAtMs: columns[16],
    lastSeenAtMs: columns[17],
    checkpointId: columns[18],
    checkpointCount: columns[19],
    timeoutMs: columns[20],
    usedMs: columns[21],
    readyAtMs: columns[22],
    waitingFor: namesOf(columns[23]),
    recordedSignal: columns[24],
    dueAtMs: columns[25],
    holder: columns[26],
    claimSequence: columns[27],
    parentId: columns[28],
    resultSignal: columns[29],
    detached: columns[30] !== 0,
    childCount: columns[31],
    unsettled: columns[32] !== 0,
    queuedSignals: columns[33],
    changes: columns[34],
    pendingSignal: columns[35],
    pauseAcknowledged: columns[36] !== 0,
  };
}

const noNames: readonly string[] = [];

function namesOf(json: string | null): readonly string[] {
  return json === null ? noNames : (JSON.parse(json) as string[]);
}

const insertedColumns = `instance_id, tenant_id, created_at, workflow, version, tags, timeout_ms, parent_id, result_signal, detached`;

function insertedValues(row: InstanceRow, tags: Readonly<Record<string, string>>): Value[] {
  return [
    row.instanceId,
    row.tenantId,
    row.createdAtMs,
    row.workflow,
    row.version,
    Object.keys(tags).length === 0 ? null : JSON.stringify(tags),
    row.timeoutMs,
    row.parentId,
    row.resultSignal,
    row.detached ? 1 : 0,
  ];
}

// Three updates, so that what changes often writes little: columns of no index, and those of the log's index alone.

export const touchSql: string = updateSql("checkpoint_id, checkpoint_count, last_seen_at, counted_up_to");

export function touchValues(row: InstanceRow, countedUpTo: number, key: number): Value[] {
  return [row.checkpointId, row.checkpointCount, row.lastSeenAtMs, countedUpTo, key];
}

const quietColumns = `run, last_message, child_count, queued_signal_count, changes, pending_signal, pause_acknowledged, custom_signal_count,
  checkpoint_id, checkpoint_count, last_seen_at, counted_up_to`;

export const quietSql: string = updateSql(quietColumns);

export function quietValues(row: InstanceRow, slots: number, countedUpTo: number, key: number): Value[] {
  return [
    row.run,
    row.lastMessage,
    row.childCount,
    row.queuedSignals,
    row.changes,
    row.pendingSignal,
    row.pauseAcknowledged ? 1 : 0,
    slots,
    ...touchValues(row, countedUpTo, key),
  ];
}

const wholeColumns = `status, reason, reason_text, exit_code, epoch, seed, first_started_at, started_at, finished_at, used_ms, ready_at,
  waiting_for, recorded_signal, due_at, holder, claim_sequence, unsettled, ${quietColumns}`;

export const wholeSql: string = updateSql(wholeColumns);

export function wholeValues(row: InstanceRow, slots: number, countedUpTo: number, key: number): Value[] {
  return [
    row.status,
    row.reason,
    row.reasonText,
    row.exitCode,
    row.epoch,
    row.seed,
    row.firstStartedAtMs,
    row.startedAtMs,
    row.finishedAtMs,
    row.usedMs,
    row.readyAtMs,
    row.waitingFor.length === 0 ? null : JSON.stringify(row.waitingFor),
    row.recordedSignal,
    row.dueAtMs,
    row.holder,
    row.claimSequence,
    row.unsettled ? 1 : 0,
    ...quietValues(row, slots, countedUpTo, key),
  ];
}

/** All that a new row has. */
export const newColumns: readonly string[] = `${insertedColumns}, ${wholeColumns}`.match(/\w+/g) ?? [];

/** In the order of `newColumns`. */
export function newValues(row: InstanceRow, tags: Readonly<Record<string, string>>, countedUpTo: number): Value[] {
  // The key, at the end of the others, is SQLite's to choose.
  return [...insertedValues(row, tags), ...wholeValues(row, 0, countedUpTo, 0).slice(0, -1)];
}

function updateSql(columns: string): string {
  return `UPDATE instances SET ${columns.replaceAll(",", " = ?,")} = ? WHERE instance_key = ?`;
}

/** Whether anything differs that only the whole update writes. */
export function differsAtLarge(before: InstanceRow, after: InstanceRow): boolean {
  return (
    before.status !== after.status ||
    before.reason !== after.reason ||
    before.reasonText !== after.reasonText ||
    before.exitCode !== after.exitCode ||
    before.epoch !== after.epoch ||
    before.seed !== after.seed ||
    before.firstStartedAtMs !== after.firstStartedAtMs ||
    before.startedAtMs !== after.startedAtMs ||
    before.finishedAtMs !== after.finishedAtMs ||
    before.usedMs !== after.usedMs ||
    before.readyAtMs !== after.readyAtMs ||
    before.waitingFor !== after.waitingFor ||
    before.recordedSignal !== after.recordedSignal ||
    before.dueAtMs !== after.dueAtMs ||
    before.holder !== after.holder ||
    before.claimSequence !== after.claimSequence ||
    before.unsettled !== after.unsettled
  );
}

/** Whether anything differs that the quiet update writes and the log does not know. */
export function differsQuietly(before: InstanceRow, after: InstanceRow): boolean {
  return (
    before.run !== after.run ||
    before.lastMessage !== after.lastMessage ||
    before.childCount !== after.childCount ||
    before.queuedSignals !== after.queuedSignals ||
    before.changes !== after.changes ||
    before.pendingSignal !== after.pendingSignal ||
    before.pauseAcknowledged !== after.pauseAcknowledged
  );
}
