import { isFinal } from "../lifecycle/transition.ts";
import { limits } from "../limits.ts";
import type { HistoryEntry, PublishedValue } from "../model.ts";
import type * as operations from "../operations/index.ts";
import { cursorOf, placeOf } from "./cursors.ts";
import { detailsOf } from "./instance-listings.ts";
import { compareTexts } from "./pages.ts";
import type { InstanceRecord } from "./records.ts";

/** How far each of the four lists has been shown: the last position or signal id. */
type Places = readonly [checkpoint: number, event: number, retry: number, signal: number];

const badCursor: operations.BadCursor = { outcome: "badCursor" };
const beginning: Places = [0, 0, 0, 0];

interface Row {
  readonly list: 0 | 1 | 2 | 3;
  readonly place: number;
  readonly entry: HistoryEntry;
}

export function listHistory(record: InstanceRecord, operation: operations.ListHistory): operations.ListHistoryResult {
  const { cursor, offset = 0, bytesMax } = operation;
  const places = cursor === undefined ? beginning : placeOf("history", cursor, beginning);
  if (places === undefined) return badCursor;
  const rows = merged(record, places, bytesMax);
  const first = cursor === undefined ? offset : 0;
  const end = first + Math.min(operation.limit, limits.listRowsMax);
  const more = end > first && rows.length > end;
  return {
    outcome: "page",
    entries: rows.slice(first, end).map(({ entry }) => entry),
    nextCursor: more ? cursorOf("history", placesAfter(places, rows.slice(0, end))) : undefined,
  };
}

export function readChanges(record: InstanceRecord, operation: operations.ReadChanges): operations.ReadChangesResult {
  const { cursor, limit, bytesMax } = operation;
  const { changes, status } = record.row;
  const since = cursor === undefined ? undefined : placeOf("changes", cursor, [...beginning, 0]);
  if (cursor !== undefined && since === undefined) return badCursor;
  const known = since?.[4];
  const places: Places = since === undefined ? beginning : [since[0], since[1], since[2], since[3]];
  const rows = merged(record, places, bytesMax);
  const shown = since === undefined ? [] : rows.slice(0, Math.min(limit, limits.listRowsMax));
  const passed = since === undefined ? rows : shown;
  const isCurrent = since === undefined || shown.length === rows.length;
  return {
    outcome: "changes",
    entries: shown.map(({ entry }) => entry),
    published: known === undefined ? [] : publishedSince(record, known),
    details: known === undefined || changes > known ? detailsOf(record) : undefined,
    nextCursor: cursorOf("changes", [...placesAfter(places, passed), changes]),
    ended: isFinal(status) && isCurrent,
  };
}

function publishedSince(record: InstanceRecord, version: number): PublishedValue[] {
  return [...record.published.values()]
    .filter((one) => one.version > version)
    .sort((a, b) => compareTexts(a.key, b.key))
    .map(({ version: _, ...one }) => ({ ...one, value: one.value.slice() }));
}

function placesAfter(places: Places, rows: readonly Row[]): Places {
  const after: [number, number, number, number] = [...places];
  for (const { list, place } of rows) after[list] = place;
  return after;
}

/** What lies behind the places: each list in the order of arrival, merged by time; of equal times in the order of the lists. */
function merged(record: InstanceRecord, places: Places, bytesMax: number): Row[] {
  const lists = [checkpoints, events, retries, signals].map((rows, list) =>
    rows(record, bytesMax).filter(({ place }) => place > (places[list] ?? 0)),
  );
  const result: Row[] = [];
  const heads = lists.map(() => 0);
  for (;;) {
    let next: Row | undefined;
    for (const [list, rows] of lists.entries()) {
      const head = rows[heads[list] ?? 0];
      if (head !== undefined && (next === undefined || head.entry.atMs < next.entry.atMs)) next = head;
    }
    if (next === undefined) return result;
    result.push(next);
    heads[next.list] = (heads[next.list] ?? 0) + 1;
  }
}

function checkpoints(record: InstanceRecord, bytesMax: number): Row[] {
  return [...record.checkpoints.values()].map(({ checkpointId, state, createdAtMs, position }) => ({
    list: 0,
    place: position,
    entry: {
      kind: "checkpoint",
      atMs: createdAtMs,
      checkpointId,
      state: shortEnough(state, bytesMax),
      stateBytes: state.length,
    },
  }));
}

function events(record: InstanceRecord, bytesMax: number): Row[] {
  return [...record.events.values()].map(({ type, subtype, checkpointId, payload, receivedAtMs, position }) => ({
    list: 1,
    place: position,
    entry: {
      kind: "event",
      atMs: receivedAtMs,
      type,
      subtype,
      checkpointId,
      payload: payloadWithin(payload, bytesMax),
    },
  }));
}

function retries(record: InstanceRecord): Row[] {
  return [...record.retries.values()].map(({ checkpointId, attempt, nextAtMs, error, createdAtMs, position }) => ({
    list: 2,
    place: position,
    entry: { kind: "retry", atMs: createdAtMs, checkpointId, attempt, nextAtMs, error },
  }));
}

function signals(record: InstanceRecord, bytesMax: number): Row[] {
  return [...record.signals.values()].map(({ signalId, kind, name, payload, createdAtMs, delivered }) => ({
    list: 3,
    place: signalId,
    entry: {
      kind: "signal",
      atMs: createdAtMs,
      type: kind === "slot" || kind === "queued" ? null : kind,
      name,
      payload: payloadWithin(payload, bytesMax),
      delivered,
    },
  }));
}

function payloadWithin(payload: Uint8Array | null, bytesMax: number): Uint8Array | null | undefined {
  return payload === null ? null : shortEnough(payload, bytesMax);
}

function shortEnough(bytes: Uint8Array, bytesMax: number): Uint8Array | undefined {
  return bytes.length > bytesMax ? undefined : bytes.slice();
}
