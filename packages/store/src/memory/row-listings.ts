import { badCursor, cursorOf, placeOf } from "../engines/cursors.ts";
import { retryId } from "../engines/retry-id.ts";
import { limits } from "../limits.ts";
import type * as operations from "../operations/index.ts";
import { fresh } from "./facts.ts";
import { compareTexts, cutPage } from "./pages.ts";
import type { CheckpointRecord, InstanceRecord, RetryRecord } from "./records.ts";

/** Bounds of listings of one instance: after is inclusive, before exclusive. */
function within(createdAtMs: number, filter: { createdAfterMs?: number; createdBeforeMs?: number }): boolean {
  const { createdAfterMs, createdBeforeMs } = filter;
  return (
    (createdAfterMs === undefined || createdAtMs >= createdAfterMs) &&
    (createdBeforeMs === undefined || createdAtMs < createdBeforeMs)
  );
}

/** `record` is undefined where the operator may not see it, too. */
export function listCheckpoints(
  record: InstanceRecord | undefined,
  operation: operations.ListCheckpoints,
): operations.ListCheckpointsResult {
  const { checkpointId, cursor } = operation;
  const place = cursor === undefined ? undefined : placeOf("checkpoints", cursor, [0]);
  if (cursor !== undefined && place === undefined) return badCursor;
  const saved = inOrder(record)
    .map((one) => ({
      checkpointId: isRetry(one) ? retryId(one.checkpointId, one.attempt) : one.checkpointId,
      createdAtMs: one.createdAtMs,
      stateBytes: isRetry(one) ? 0 : one.state.length,
      position: one.position,
    }))
    .filter(
      (row) => (checkpointId === undefined || row.checkpointId === checkpointId) && within(row.createdAtMs, operation),
    )
    .reverse();
  const cut = cutPage(saved, operation, place && (({ position }) => position < place[0]));
  return {
    outcome: "page",
    checkpoints: cut.rows.map(({ position: _, ...shown }) => shown),
    nextCursor: cut.last && cursorOf("checkpoints", [cut.last.position]),
    total: cursor === undefined ? saved.length : undefined,
  };
}

export function listEvents(
  record: InstanceRecord | undefined,
  operation: operations.ListEvents,
): operations.ListEventsResult {
  const { type, subtype, cursor } = operation;
  const place = cursor === undefined ? undefined : placeOf("events", cursor, [0, 0]);
  if (cursor !== undefined && place === undefined) return badCursor;
  const events = [...(record?.events.values() ?? [])]
    .filter(
      (event) =>
        (type === undefined || event.type === type) &&
        (subtype === undefined || event.subtype === subtype) &&
        within(event.createdAtMs, operation),
    )
    .sort((a, b) => b.createdAtMs - a.createdAtMs || b.position - a.position);
  const behind =
    place && ((event: (typeof events)[number]) => (place[0] - event.createdAtMs || place[1] - event.position) > 0);
  const cut = cutPage(events, operation, behind);
  return {
    outcome: "page",
    events: cut.rows.map(({ position: _, ...event }) => ({ ...event, payload: fresh(event.payload) })),
    nextCursor: cut.last && cursorOf("events", [cut.last.createdAtMs, cut.last.position]),
    total: cursor === undefined ? events.length : undefined,
  };
}

/** The newest retry record of each id and the checkpoints, in the order of saving, as far as the page's bytes reach. */
export function listOwnCheckpoints(
  record: InstanceRecord,
  operation: operations.ListOwnCheckpoints,
): operations.ListOwnCheckpointsResult {
  const { cursor, behind, prefix, stateBytesMax, pageBytesMax } = operation;
  const first = behind === undefined ? undefined : record.checkpoints.get(behind)?.position;
  const place = cursor === undefined ? [first ?? 0] : placeOf("own", cursor, [0]);
  if (place === undefined) return badCursor;
  const rows = inOrder(record).filter(
    (one) =>
      one.position > (place[0] ?? 0) && one.checkpointId.startsWith(prefix) && (!isRetry(one) || isNewest(record, one)),
  );
  let bytes = 0;
  let size = 0;
  for (const one of rows) {
    if (!isRetry(one) && one.state.length <= stateBytesMax) bytes += one.state.length;
    if (size === limits.ownRowsMax || (size > 0 && bytes > pageBytesMax)) break;
    size += 1;
  }
  const page = rows.slice(0, size);
  const last = page.at(-1);
  return {
    outcome: "page",
    checkpoints: page.flatMap((one) => (isRetry(one) ? [] : ownCheckpoint(one, stateBytesMax))),
    retries: page.flatMap((one) => (isRetry(one) ? ownRetry(one) : [])),
    nextCursor: rows.length > size && last !== undefined ? cursorOf("own", [last.position]) : undefined,
  };
}

function ownCheckpoint(one: CheckpointRecord, stateBytesMax: number): operations.OwnCheckpoint {
  const { checkpointId, state, createdAtMs } = one;
  const stateBytes = state.length;
  return { checkpointId, state: stateBytes > stateBytesMax ? undefined : state.slice(), stateBytes, createdAtMs };
}

function ownRetry({ position: _, ...retry }: RetryRecord): operations.OwnRetry {
  return retry;
}

function isNewest(record: InstanceRecord, { checkpointId, position }: RetryRecord): boolean {
  for (const other of record.retries.values())
    if (other.checkpointId === checkpointId && other.position > position) return false;
  return true;
}

/** Checkpoints and retry records, in the order of saving. */
function inOrder(record: InstanceRecord | undefined): (CheckpointRecord | RetryRecord)[] {
  if (record === undefined) return [];
  return [...record.checkpoints.values(), ...record.retries.values()].sort((a, b) => a.position - b.position);
}

function isRetry(one: CheckpointRecord | RetryRecord): one is RetryRecord {
  return "attempt" in one;
}

/** In the order of their keys, byte by byte. */
export function readPublished(
  record: InstanceRecord,
  { key }: operations.ReadPublished,
): operations.ReadPublishedResult {
  const values = [...record.published.values()]
    .filter((one) => key === undefined || one.key === key)
    .sort((a, b) => compareTexts(a.key, b.key))
    .map(({ version: _, ...one }) => ({ ...one, value: one.value.slice() }));
  return { outcome: "found", values };
}
