import { unknownInstance } from "../../decide/index.ts";
import { badCursor, cursorOf, placeOf } from "../../engines/cursors.ts";
import { cutPage, limitOf, offsetOf } from "../../engines/pages.ts";
import type { EventType } from "../../model.ts";
import type {
  ListCheckpoints,
  ListCheckpointsResult,
  ListEvents,
  ListEventsResult,
  ReadPublished,
  ReadPublishedResult,
} from "../../operations/index.ts";
import type { Value } from "../statements.ts";
import type { Context } from "./context.ts";

const maxId = Number.MAX_SAFE_INTEGER;

// Rows of the log that the index has, those behind it, and retry records with the places that they took among them.
const allCheckpoints = `
  SELECT id, checkpoint_id, NULL AS attempt FROM checkpoint_ids WHERE instance_key = ?1
  UNION ALL
  SELECT id, checkpoint_id, NULL FROM checkpoints
    WHERE id > (SELECT indexed_up_to FROM checkpoint_index_state) AND instance_key = ?1
      AND NOT EXISTS (SELECT 1 FROM checkpoint_ids AS i WHERE i.instance_key = ?1 AND i.checkpoint_id = checkpoints.checkpoint_id)`;

type CheckpointColumns = readonly [position: number, checkpointId: string, createdAtMs: number, stateBytes: number];

export function prepareListCheckpoints(context: Context): (operation: ListCheckpoints) => ListCheckpointsResult {
  const shown = `
    SELECT id AS position, checkpoint_id AS shown_id, c.created_at AS at, length(c.state) AS bytes
      FROM (${allCheckpoints}) JOIN checkpoints AS c USING (id, checkpoint_id)
    UNION ALL
    SELECT position, checkpoint_id || '::retry::' || attempt, created_at, 0 FROM retry_attempts WHERE instance_key = ?1`;
  const filter = "(?2 IS NULL OR shown_id = ?2) AND (?3 IS NULL OR at >= ?3) AND (?4 IS NULL OR at < ?4)";
  const sql = (text: string) => context.connection.prepare(text);
  const select = sql(
    `SELECT position, shown_id, at, bytes FROM (${shown}) WHERE ${filter} AND position < ?5 ORDER BY position DESC LIMIT ?6 OFFSET ?7`,
  );
  const count = sql(`SELECT count(*) FROM (${shown}) WHERE ${filter}`);
  return (operation) => {
    const { cursor, checkpointId, createdAfterMs, createdBeforeMs } = operation;
    const place = cursor === undefined ? [maxId] : placeOf("checkpoints", cursor, [0]);
    if (place === undefined) return badCursor;
    const entry = context.seen(operation);
    if (entry === undefined) return emptyCheckpoints(cursor);
    const filters = [entry.key, checkpointId ?? null, createdAfterMs ?? null, createdBeforeMs ?? null];
    const { rows, last } = cutPage(
      select.all<CheckpointColumns>(...filters, place[0] ?? maxId, limitOf(operation) + 1, offsetOf(operation)),
      limitOf(operation),
    );
    return {
      outcome: "page",
      checkpoints: rows.map(([, id, createdAtMs, stateBytes]) => ({ checkpointId: id, createdAtMs, stateBytes })),
      nextCursor: last && cursorOf("checkpoints", [last[0]]),
      total: cursor === undefined ? count.get<[number]>(...filters)?.[0] : undefined,
    };
  };
}

function emptyCheckpoints(cursor: string | undefined): ListCheckpointsResult {
  return { outcome: "page", checkpoints: [], nextCursor: undefined, total: cursor === undefined ? 0 : undefined };
}

type EventColumns = readonly [
  id: number,
  type: EventType,
  subtype: string | null,
  checkpointId: string | null,
  payload: Uint8Array | null,
  createdAtMs: number,
  receivedAtMs: number,
];

export function prepareListEvents(context: Context): (operation: ListEvents) => ListEventsResult {
  const sql = (text: string) => context.connection.prepare(text);
  const statementsFor = (kinds: string) => {
    const from = `FROM instance_events WHERE instance_key = ?1 AND ${kinds}
      AND (?4 IS NULL OR created_at >= ?4) AND (?5 IS NULL OR created_at < ?5)`;
    return {
      select: sql(
        `SELECT id, event_type, subtype, checkpoint_id, payload, created_at, received_at FROM instance_events WHERE id IN (
           SELECT id ${from} AND (created_at, id) < (?6, ?7) ORDER BY created_at DESC, id DESC LIMIT ?8 OFFSET ?9)
         ORDER BY created_at DESC, id DESC`,
      ),
      count: sql(`SELECT count(*) ${from}`),
    };
  };
  const ofAll = statementsFor("?2 IS NULL AND ?3 IS NULL");
  const ofSome = statementsFor("(?2 IS NULL OR event_type = ?2) AND (?3 IS NULL OR subtype = ?3)");
  return (operation) => {
    const { cursor, type, subtype, createdAfterMs, createdBeforeMs } = operation;
    const place = cursor === undefined ? [maxId, maxId] : placeOf("events", cursor, [0, 0]);
    if (place === undefined) return badCursor;
    const entry = context.seen(operation);
    const filters: Value[] = [
      entry?.key ?? -1,
      type ?? null,
      subtype ?? null,
      createdAfterMs ?? null,
      createdBeforeMs ?? null,
    ];
    const [atMs = maxId, id = maxId] = place;
    const { select, count } = type === undefined && subtype === undefined ? ofAll : ofSome;
    const { rows, last } = cutPage(
      select.all<EventColumns>(...filters, atMs, id, limitOf(operation) + 1, offsetOf(operation)),
      limitOf(operation),
    );
    return {
      outcome: "page",
      events: rows.map(([, eventType, eventSubtype, checkpointId, payload, createdAtMs, receivedAtMs]) => ({
        type: eventType,
        subtype: eventSubtype,
        checkpointId,
        payload,
        createdAtMs,
        receivedAtMs,
      })),
      nextCursor: last && cursorOf("events", [last[5], last[0]]),
      total: cursor === undefined ? count.get<[number]>(...filters)?.[0] : undefined,
    };
  };
}

export function prepareReadPublished(context: Context): (operation: ReadPublished) => ReadPublishedResult {
  const select = context.connection.prepare(
    `SELECT key, value, updated_at FROM published_values WHERE instance_key = ?1 AND (?2 IS NULL OR key = ?2) ORDER BY key`,
  );
  return (operation) => {
    const entry = context.seen(operation);
    if (entry === undefined) return unknownInstance;
    const found = select.all<[string, Uint8Array, number]>(entry.key, operation.key ?? null);
    return { outcome: "found", values: found.map(([key, value, updatedAtMs]) => ({ key, value, updatedAtMs })) };
  };
}
