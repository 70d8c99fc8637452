import { badCursor, cursorOf, placeOf } from "../engines/cursors.ts";
import { beginning, merged, type Placed, type Places, placesAfter } from "../engines/history.ts";
import { limitOf, offsetOf } from "../engines/pages.ts";
import { isFinal } from "../lifecycle/transition.ts";
import type { PublishedValue } from "../model.ts";
import type * as operations from "../operations/index.ts";
import { shownDetails } from "./instance-listings.ts";
import { compareTexts } from "./pages.ts";
import type { InstanceRecord } from "./records.ts";

export function listHistory(record: InstanceRecord, operation: operations.ListHistory): operations.ListHistoryResult {
  const { cursor, bytesMax } = operation;
  const places = cursor === undefined ? beginning : placeOf("history", cursor, beginning);
  if (places === undefined) return badCursor;
  const rows = behind(record, places, bytesMax);
  const first = offsetOf(operation);
  const end = first + limitOf(operation);
  const more = end > first && rows.length > end;
  return {
    outcome: "page",
    entries: rows.slice(first, end).map(({ entry }) => entry),
    nextCursor: more ? cursorOf("history", placesAfter(places, rows.slice(0, end))) : undefined,
  };
}

export function readChanges(record: InstanceRecord, operation: operations.ReadChanges): operations.ReadChangesResult {
  const { cursor, bytesMax } = operation;
  const { changes, status } = record.row;
  const since = cursor === undefined ? undefined : placeOf("changes", cursor, [...beginning, 0]);
  if (cursor !== undefined && since === undefined) return badCursor;
  const known = since?.[4];
  const places: Places = since === undefined ? beginning : [since[0], since[1], since[2], since[3]];
  const rows = behind(record, places, bytesMax);
  const shown = since === undefined ? [] : rows.slice(0, limitOf(operation));
  const passed = since === undefined ? rows : shown;
  const isCurrent = since === undefined || shown.length === rows.length;
  return {
    outcome: "changes",
    entries: shown.map(({ entry }) => entry),
    published: known === undefined ? [] : publishedSince(record, known),
    details: known === undefined || changes > known ? shownDetails(record) : undefined,
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

/** What lies behind the places. */
function behind(record: InstanceRecord, places: Places, bytesMax: number): Placed[] {
  const lists = [checkpoints, events, retries, signals].map((rows, list) =>
    rows(record, bytesMax).filter(({ place }) => place > (places[list] ?? 0)),
  );
  return merged(lists, Number.POSITIVE_INFINITY);
}

function checkpoints(record: InstanceRecord, bytesMax: number): Placed[] {
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

function events(record: InstanceRecord, bytesMax: number): Placed[] {
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

function retries(record: InstanceRecord): Placed[] {
  return [...record.retries.values()].map(({ checkpointId, attempt, nextAtMs, error, createdAtMs, position }) => ({
    list: 2,
    place: position,
    entry: { kind: "retry", atMs: createdAtMs, checkpointId, attempt, nextAtMs, error },
  }));
}

function signals(record: InstanceRecord, bytesMax: number): Placed[] {
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
