import { unknownInstance } from "../../decide/index.ts";
import { badCursor, cursorOf, placeOf } from "../../engines/cursors.ts";
import { beginning, type Places, placesAfter } from "../../engines/history.ts";
import { isFinal } from "../../lifecycle/transition.ts";
import type { InstanceStatus, PublishedValue } from "../../model.ts";
import type { ListHistory, ListHistoryResult, ReadChanges, ReadChangesResult } from "../../operations/index.ts";
import type { Connections, Row, Statement, Transaction } from "../connections/port.ts";
import { detailColumnCount, detailColumns, detailsOf } from "../rows/details.ts";
import { rowsOf } from "./conditions.ts";
import { lastPlaces, readEntries } from "./history-rows.ts";

/** $1 instance, $2 tenant or NULL. */
const detailsStatement: Statement = {
  name: "history_details",
  text: `
SELECT ${detailColumns}, i.changes, i.status::text FROM instances i
WHERE i.instance_id = $1 AND ($2::text IS NULL OR i.tenant_id = $2)`,
};

/** $1 instance, $2 version behind which they are. */
const publishedStatement: Statement = {
  name: "history_published",
  text: `
SELECT p.key, p.value, p.updated_ms FROM published_values p
WHERE p.instance_id = $1 AND p.version > $2::int8 ORDER BY p.key COLLATE "C"`,
};

export async function listHistory(connections: Connections, operation: ListHistory): Promise<ListHistoryResult> {
  const { instanceId, tenantId = null, cursor, bytesMax } = operation;
  const places = cursor === undefined ? beginning : placeOf("history", cursor, beginning);
  const { limit, read, offset } = rowsOf(operation);
  const [details, entries] = await connections.readers.transaction((transaction) =>
    Promise.all([
      transaction.query(detailsStatement, [instanceId, tenantId]),
      readEntries(transaction, instanceId, places ?? beginning, offset + read, bytesMax),
    ]),
  );
  if (details.rows.length === 0) return unknownInstance;
  if (places === undefined) return badCursor;
  const end = offset + limit;
  const more = limit > 0 && entries.length > end;
  return {
    outcome: "page",
    entries: entries.slice(offset, end).map(({ entry }) => entry),
    nextCursor: more ? cursorOf("history", placesAfter(places, entries.slice(0, end))) : undefined,
  };
}

/** The details are read first: what is written meanwhile is told now or by the next call, perhaps by both, never by none. */
export async function readChanges(connections: Connections, operation: ReadChanges): Promise<ReadChangesResult> {
  const { instanceId, tenantId = null, cursor } = operation;
  const since = cursor === undefined ? undefined : placeOf("changes", cursor, [...beginning, 0]);
  const found = await connections.readers.transaction(async (transaction) => {
    const details = transaction.query(detailsStatement, [instanceId, tenantId]);
    const news = since === undefined ? now(transaction, instanceId) : newsSince(transaction, operation, since);
    const [{ rows }, read] = await Promise.all([details, news]);
    return { row: rows[0], read };
  });
  if (found.row === undefined) return unknownInstance;
  if (cursor !== undefined && since === undefined) return badCursor;
  const [changes, status] = found.row.slice(detailColumnCount) as [number, InstanceStatus];
  const { entries, published, places, isCurrent } = found.read;
  return {
    outcome: "changes",
    entries,
    published,
    details: since === undefined || changes > since[4] ? detailsOf(found.row) : undefined,
    nextCursor: cursorOf("changes", [...places, changes]),
    ended: isFinal(status) && isCurrent,
  };
}

/** Without a cursor: nothing but the places of now. */
async function now(transaction: Transaction, instanceId: string) {
  const places = await lastPlaces(transaction, instanceId);
  return { entries: [], published: [], places, isCurrent: true };
}

async function newsSince(
  transaction: Transaction,
  { instanceId, limit, bytesMax }: ReadChanges,
  [checkpoint, event, retry, signal, version]: readonly [number, number, number, number, number],
) {
  const since: Places = [checkpoint, event, retry, signal];
  const bounds = rowsOf({ limit });
  const [rows, published] = await Promise.all([
    readEntries(transaction, instanceId, since, bounds.read, bytesMax),
    transaction.query(publishedStatement, [instanceId, version]),
  ]);
  const shown = rows.slice(0, bounds.limit);
  return {
    entries: shown.map(({ entry }) => entry),
    published: published.rows.map(publishedOf),
    places: placesAfter(since, shown),
    isCurrent: shown.length === rows.length,
  };
}

export function publishedOf(row: Row): PublishedValue {
  const [key, value, updatedAtMs] = row as readonly [string, Buffer, number];
  return { key, value, updatedAtMs };
}
