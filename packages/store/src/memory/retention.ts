import { removable } from "../decide/index.ts";
import { isFinal } from "../lifecycle/transition.ts";
import { limits } from "../limits.ts";
import type * as operations from "../operations/index.ts";
import type { Context } from "./context.ts";
import type { MemoryDatabase } from "./database.ts";
import { compareTexts } from "./pages.ts";
import type { InstanceRecord } from "./records.ts";

export function removeOld({ database }: Context, operation: operations.RemoveOld): operations.RemoveOldResult {
  forgetWorkers(database, operation.nowMs);
  const removed = { instances: 0, events: 0, checkpoints: 0 };
  let room = operation.limit;
  for (const record of ended(database)) {
    const may = removable(operation, record.row, { hasOpenChild: hasOpenChild(database, record) });
    if (!may.rows) continue;
    const checkpoints = old(record.checkpoints, may.instance, operation.checkpointsBeforeMs, (one) => one.createdAtMs);
    const retries = old(record.retries, may.instance, operation.checkpointsBeforeMs, (one) => one.createdAtMs);
    const events = old(record.events, may.instance, operation.eventsBeforeMs, (one) => one.receivedAtMs);
    const saved = remove(record.checkpoints, checkpoints, room);
    const retried = remove(record.retries, retries, room - saved);
    const happened = remove(record.events, events, room - saved - retried);
    removed.checkpoints += saved + retried;
    removed.events += happened;
    room -= saved + retried + happened;
    if (room === 0) break;
    if (!may.instance) continue;
    database.remove(record);
    removed.instances += 1;
    room -= 1;
    if (room === 0) break;
  }
  return { outcome: "removed", ...removed, more: room === 0 };
}

function ended(database: MemoryDatabase): InstanceRecord[] {
  return [...database.instances.values()]
    .filter(({ row }) => isFinal(row.status))
    .sort(
      ({ row: a }, { row: b }) =>
        (a.finishedAtMs ?? 0) - (b.finishedAtMs ?? 0) || compareTexts(a.instanceId, b.instanceId),
    );
}

function hasOpenChild(database: MemoryDatabase, { row }: InstanceRecord): boolean {
  return database.records(database.children.get(row.instanceId) ?? []).some((child) => !isFinal(child.row.status));
}

/** The keys of the rows that may go: all, or those from before a bound. */
function old<Key, Row>(
  rows: ReadonlyMap<Key, Row>,
  all: boolean,
  beforeMs: number | undefined,
  timeOf: (row: Row) => number,
): Key[] {
  if (all) return [...rows.keys()];
  if (beforeMs === undefined) return [];
  return [...rows].filter(([, row]) => timeOf(row) < beforeMs).map(([key]) => key);
}

function remove<Key>(rows: Map<Key, unknown>, keys: readonly Key[], room: number): number {
  const chosen = keys.slice(0, room);
  for (const key of chosen) rows.delete(key);
  return chosen.length;
}

function forgetWorkers(database: MemoryDatabase, nowMs: number): void {
  for (const [id, { leaseUntilMs }] of database.workers) {
    if (leaseUntilMs > nowMs - limits.workerKeptMs || database.held.has(id)) continue;
    database.workers.delete(id);
    database.lost.delete(id);
  }
}
