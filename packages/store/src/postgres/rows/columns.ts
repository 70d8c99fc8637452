import type { InstanceRow } from "../../decide/row.ts";
import type { InstanceStatus, SignalType, StatusReason } from "../../model.ts";
import type { Row } from "../connections/port.ts";
import { boolArray, byteaArray, int4Array, int8Array, textArray } from "../parameters.ts";
import { msOf, timestampOf } from "../sql.ts";

/** One small column of `instances`: its name, how it is read, and how it is written from an array of values. */
interface Column {
  readonly name: string;
  /** Expression over the table `i`. */
  readonly read: string;
  /** Element type of the array that brings it. */
  readonly type: string;
  /** Expression over the unnested row `s`. */
  readonly write: string;
  readonly values: (rows: readonly InstanceRow[]) => Buffer;
  /** Written once, with the new row. */
  readonly fixed: boolean;
}

type Values<T> = (row: InstanceRow) => T | null;

function column(name: string, type: string, values: Column["values"], options: Partial<Column> = {}): Column {
  return { name, read: `i.${name}`, type, write: `s.${name}`, values, fixed: false, ...options };
}
function text(name: string, value: Values<string>, options?: Partial<Column>): Column {
  return column(name, "text", (rows) => textArray(rows.map(value)), options);
}
function int4(name: string, value: Values<number>, options?: Partial<Column>): Column {
  return column(name, "int4", (rows) => int4Array(rows.map(value)), options);
}
function int8(name: string, value: Values<number>, options?: Partial<Column>): Column {
  return column(name, "int8", (rows) => int8Array(rows.map(value)), options);
}
function bool(name: string, value: Values<boolean>, options?: Partial<Column>): Column {
  return column(name, "bool", (rows) => boolArray(rows.map(value)), options);
}
/** A timestamptz of the original. */
function time(name: string, value: Values<number>, options?: Partial<Column>): Column {
  return int8(name, value, { read: msOf(`i.${name}`), write: timestampOf(`s.${name}`), ...options });
}

const fixed = { fixed: true };

/** In the order in which `rowOf` takes them. */
const columns: readonly Column[] = [
  text("instance_id", (row) => row.instanceId, fixed),
  text("tenant_id", (row) => row.tenantId, fixed),
  text("status", (row) => row.status, { read: "i.status::text", write: "s.status::instance_status" }),
  text("reason", (row) => row.reason),
  text("reason_text", (row) => row.reasonText),
  int4("exit_code", (row) => row.exitCode),
  int8("epoch", (row) => row.epoch),
  column("seed", "bytea", (rows) => byteaArray(rows.map((row) => row.seed))),
  int4("run", (row) => row.run),
  int8("last_message", (row) => row.lastMessage),
  text("workflow", (row) => row.workflow, fixed),
  text("version", (row) => row.version, fixed),
  time("created_at", (row) => row.createdAtMs, fixed),
  int8("first_started_ms", (row) => row.firstStartedAtMs),
  time("started_at", (row) => row.startedAtMs),
  time("finished_at", (row) => row.finishedAtMs),
  int8("last_seen_ms", (row) => row.lastSeenAtMs),
  text("checkpoint_id", (row) => row.checkpointId),
  int8("checkpoint_count", (row) => row.checkpointCount, {
    // NULL in a row of the original until it is counted for the first time.
    read: "coalesce(i.checkpoint_count, (SELECT count(*) FROM checkpoints c WHERE c.instance_id = i.instance_id))",
  }),
  int8("timeout_ms", (row) => row.timeoutMs, fixed),
  int8("used_ms", (row) => row.usedMs),
  int8("ready_ms", (row) => row.readyAtMs),
  text("waiting_for", (row) => arrayLiteral(row.waitingFor), { write: "s.waiting_for::text[]" }),
  text("recorded_signal", (row) => row.recordedSignal),
  int8("due_ms", (row) => row.dueAtMs),
  text("holder", (row) => row.holder),
  int8("claim_sequence", (row) => row.claimSequence),
  text("parent_id", (row) => row.parentId, fixed),
  text("result_signal", (row) => row.resultSignal, fixed),
  bool("detached", (row) => row.detached, { ...fixed, read: "coalesce(i.detached, false)" }),
  int4("child_count", (row) => row.childCount),
  bool("unsettled", (row) => row.unsettled),
  int4("queued_signals", (row) => row.queuedSignals),
  int8("changes", (row) => row.changes),
];

/** What `rowOf` reads, over the table `instances AS i`. */
export const rowColumns: string = columns.map(({ read }) => read).join(", ");

/** How many columns that is: others may follow. */
export const rowColumnCount: number = columns.length;

export const insertColumns: readonly Column[] = columns;
export const updateColumns: readonly Column[] = columns.filter((each) => !each.fixed || each.name === "instance_id");

/** The pending signal is in a table of its own: see `withPending`. */
export function rowOf(row: Row): InstanceRow {
  const [instanceId, tenantId, status, reason, reasonText, exitCode, epoch, seed, run, lastMessage, ...rest] = row;
  const [workflow, version, createdAtMs, firstStartedAtMs, startedAtMs, finishedAtMs, lastSeenAtMs, ...more] = rest;
  const [checkpointId, checkpointCount, timeoutMs, usedMs, readyAtMs, waitingFor, recordedSignal, ...others] = more;
  const [dueAtMs, holder, claimSequence, parentId, resultSignal, detached, childCount, unsettled, ...last] = others;
  const [queuedSignals, changes] = last;
  return {
    instanceId: instanceId as string,
    tenantId: tenantId as string,
    status: status as InstanceStatus,
    reason: reason as StatusReason | null,
    reasonText: reasonText as string | null,
    exitCode: exitCode as number | null,
    epoch: epoch as number,
    seed: seed as Uint8Array | null,
    run: run as number,
    lastMessage: lastMessage as number,
    workflow: workflow as string | null,
    version: version as string | null,
    createdAtMs: createdAtMs as number,
    firstStartedAtMs: firstStartedAtMs as number | null,
    startedAtMs: startedAtMs as number | null,
    finishedAtMs: finishedAtMs as number | null,
    lastSeenAtMs: lastSeenAtMs as number | null,
    checkpointId: checkpointId as string | null,
    checkpointCount: checkpointCount as number,
    timeoutMs: timeoutMs as number | null,
    usedMs: usedMs as number,
    readyAtMs: readyAtMs as number | null,
    waitingFor: (waitingFor as readonly string[] | null) ?? [],
    recordedSignal: recordedSignal as SignalType | null,
    dueAtMs: dueAtMs as number | null,
    holder: holder as string | null,
    claimSequence: claimSequence as number | null,
    parentId: parentId as string | null,
    resultSignal: resultSignal as string | null,
    detached: detached as boolean,
    childCount: childCount as number,
    unsettled: unsettled as boolean,
    queuedSignals: queuedSignals as number,
    changes: changes as number,
    pendingSignal: null,
    pauseAcknowledged: false,
  };
}

/** PostgreSQL's literal of a text[]; an empty one is NULL. */
function arrayLiteral(values: readonly string[]): string | null {
  if (values.length === 0) return null;
  return `{${values.map((value) => `"${value.replaceAll(/["\\]/g, "\\$&")}"`).join(",")}}`;
}
