import { unknownInstance } from "../../decide/index.ts";
import { badCursor, cursorOf, placeOf } from "../../engines/cursors.ts";
import { detailsOf } from "../../engines/details.ts";
import { beginning, type Places, placesAfter } from "../../engines/history.ts";
import { limitOf, offsetOf } from "../../engines/pages.ts";
import { isFinal } from "../../lifecycle/index.ts";
import type { PublishedValue } from "../../model.ts";
import type { ListHistory, ListHistoryResult, ReadChanges, ReadChangesResult } from "../../operations/index.ts";
import type { HistoryReader } from "../history-reader.ts";
import type { Context } from "./context.ts";
import { prepareTags } from "./details.ts";

export function prepareListHistory(
  context: Context,
  history: HistoryReader,
): (operation: ListHistory) => ListHistoryResult {
  return (operation) => {
    const { cursor, bytesMax } = operation;
    const entry = context.seen(operation);
    if (entry === undefined) return unknownInstance;
    const places = cursor === undefined ? beginning : placeOf("history", cursor, beginning);
    if (places === undefined) return badCursor;
    const first = offsetOf(operation);
    const end = first + limitOf(operation);
    const rows = history.read(entry.key, places, bytesMax, end + 1);
    const more = end > first && rows.length > end;
    return {
      outcome: "page",
      entries: rows.slice(first, end).map(({ entry: shown }) => shown),
      nextCursor: more ? cursorOf("history", placesAfter(places, rows.slice(0, end))) : undefined,
    };
  };
}

export function prepareReadChanges(
  context: Context,
  history: HistoryReader,
): (operation: ReadChanges) => ReadChangesResult {
  const tagsOf = prepareTags(context);
  const publishedSince = context.connection.prepare(
    "SELECT key, value, updated_at FROM published_values WHERE instance_key = ? AND version > ? ORDER BY key",
  );
  return (operation) => {
    const { cursor, bytesMax } = operation;
    const entry = context.seen(operation);
    if (entry === undefined) return unknownInstance;
    const { key, row } = entry;
    if (cursor === undefined) {
      const now = [...history.end(key), row.changes];
      return {
        outcome: "changes",
        entries: [],
        published: [],
        details: detailsOf(row, tagsOf(key)),
        nextCursor: cursorOf("changes", now),
        ended: isFinal(row.status),
      };
    }
    const since = placeOf("changes", cursor, [0, 0, 0, 0, 0]);
    if (since === undefined) return badCursor;
    const [checkpoint, event, retry, signal, known] = since;
    const places: Places = [checkpoint, event, retry, signal];
    const limit = limitOf(operation);
    const found = history.read(key, places, bytesMax, limit + 1);
    const shown = found.slice(0, limit);
    const published = publishedSince
      .all<[string, Uint8Array, number]>(key, known)
      .map(([name, value, updatedAtMs]): PublishedValue => ({ key: name, value, updatedAtMs }));
    return {
      outcome: "changes",
      entries: shown.map((one) => one.entry),
      published,
      details: row.changes > known ? detailsOf(row, tagsOf(key)) : undefined,
      nextCursor: cursorOf("changes", [...placesAfter(places, shown), row.changes]),
      ended: isFinal(row.status) && shown.length === found.length,
    };
  };
}
