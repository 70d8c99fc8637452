import { badCursor, cursorOf, placeOf } from "../../engines/cursors.ts";
import { cutPage } from "../../engines/pages.ts";
import type { EventType } from "../../model.ts";
import type { ListEvents, ListEventsResult, StoredEvent } from "../../operations/index.ts";
import type { Connections, Row } from "../connections/port.ts";
import { isMicros, microsOf, msOf, timestampOf, timestampOfMicros } from "../sql.ts";
import { Conditions, rowsOf } from "./conditions.ts";
import { ofTenant } from "./tenant.ts";

/** The server's time; rows of the original have the client's only. */
export const receivedMs: string = `coalesce(e.received_ms, ${msOf("e.created_at")})`;

/** Newest first by the client's time, then by arrival. */
export async function listEvents(connections: Connections, operation: ListEvents): Promise<ListEventsResult> {
  const { instanceId, tenantId, type, subtype, createdAfterMs, createdBeforeMs, cursor } = operation;
  const place = cursor === undefined ? undefined : placeOf("events", cursor, ["", 0]);
  if (cursor !== undefined && (place === undefined || !isMicros(place[0]))) return badCursor;
  const conditions = new Conditions();
  conditions.add("instance", instanceId, (value) => `e.instance_id = ${value}`);
  conditions.add("tenant", tenantId, (value) => ofTenant("e.instance_id", value));
  conditions.add("type", type, (value) => `e.event_type = ${value}::instance_event_type`);
  conditions.add("subtype", subtype, (value) => `e.subtype = ${value}`);
  conditions.add("after", createdAfterMs, (value) => `e.created_at >= ${timestampOf(`${value}::int8`)}`);
  conditions.add("before", createdBeforeMs, (value) => `e.created_at < ${timestampOf(`${value}::int8`)}`);
  const counted = cursor === undefined ? count(connections, conditions) : undefined;
  const [page, total] = await Promise.all([readPage(connections, conditions, operation, place), counted]);
  return { ...page, total };
}

/** The count's values are taken now: the page adds its own. */
async function count(connections: Connections, conditions: Conditions): Promise<number> {
  const text = `SELECT count(*) FROM instance_events e WHERE ${conditions.where}`;
  const { rows } = await connections.readers.query(conditions.statement("count_events", text), [...conditions.values]);
  return (rows[0]?.[0] as number | undefined) ?? 0;
}

async function readPage(
  connections: Connections,
  conditions: Conditions,
  page: ListEvents,
  place: readonly [string, number] | undefined,
) {
  conditions.add("cursor", place?.[0], (createdAt) => {
    const id = conditions.value(place?.[1] ?? 0);
    return `(e.created_at, e.id) < (${timestampOfMicros(createdAt)}, ${id}::int8)`;
  });
  const { limit, read, offset } = rowsOf(page);
  const statement = conditions.statement(
    "list_events",
    `SELECT e.event_type::text, e.subtype, e.checkpoint_id, e.payload, ${msOf("e.created_at")}, ${receivedMs}, ${microsOf("e.created_at")}, e.id
     FROM instance_events e WHERE ${conditions.where}
     ORDER BY e.created_at DESC, e.id DESC LIMIT ${conditions.value(read)} OFFSET ${conditions.value(offset)}`,
  );
  const answer = await connections.readers.query(statement, conditions.values);
  const { rows, last } = cutPage(answer.rows, limit);
  const nextCursor = last && cursorOf("events", [last[6] as string, last[7] as number]);
  return { outcome: "page", events: rows.map(eventOf), nextCursor } as const;
}

function eventOf(row: Row): StoredEvent {
  const [type, subtype, checkpointId, payload, createdAtMs, receivedAtMs] = row as readonly [
    EventType,
    string | null,
    string | null,
    Buffer | null,
    number,
    number,
  ];
  return { type, subtype, checkpointId, payload, createdAtMs, receivedAtMs };
}
