import { beginning, merged, type Placed, type Places } from "../../engines/history.ts";
import type { EventType, SignalType } from "../../model.ts";
import type { Row, Statement, Transaction } from "../connections/port.ts";
import { msOf } from "../sql.ts";
import { receivedMs } from "./events.ts";

/** Bytes that are longer than `$4` stay where they are. */
const within = (column: string): string => `CASE WHEN octet_length(${column}) <= $4::int8 THEN ${column} END`;

/** $1 instance, $2 behind which place, $3 how many, $4 bytes. One for each list, in the order of arrival. */
const lists: readonly Statement[] = [
  {
    name: "history_checkpoints",
    text: `
SELECT c.id, ${msOf("c.created_at")}, c.checkpoint_id, octet_length(c.state), ${within("c.state")}
FROM checkpoints c WHERE c.instance_id = $1 AND c.id > $2::int8 ORDER BY c.id LIMIT $3`,
  },
  {
    name: "history_events",
    text: `
SELECT e.id, ${receivedMs}, e.event_type::text, e.subtype, e.checkpoint_id, octet_length(e.payload), ${within("e.payload")}
FROM instance_events e WHERE e.instance_id = $1 AND e.id > $2::int8 ORDER BY e.id LIMIT $3`,
  },
  {
    name: "history_retries",
    text: `
SELECT r.position, r.created_ms, r.checkpoint_id, r.attempt, r.next_ms, r.error_message
FROM retry_attempts r WHERE r.instance_id = $1 AND r.position > $2::int8 AND $4::int8 IS NOT NULL ORDER BY r.position LIMIT $3`,
  },
  {
    name: "history_signals",
    text: `
SELECT s.signal_id, s.created_ms, s.kind, s.name, s.delivered_ms IS NOT NULL, octet_length(s.payload), ${within("s.payload")}
FROM instance_signals s WHERE s.instance_id = $1 AND s.signal_id > $2::int8 ORDER BY s.signal_id LIMIT $3`,
  },
];

/** $1 instance. */
const lastPlacesStatement: Statement = {
  name: "history_last_places",
  text: `
SELECT coalesce((SELECT max(c.id) FROM checkpoints c WHERE c.instance_id = $1), 0),
  coalesce((SELECT max(e.id) FROM instance_events e WHERE e.instance_id = $1), 0),
  coalesce((SELECT max(r.position) FROM retry_attempts r WHERE r.instance_id = $1), 0),
  coalesce((SELECT max(s.signal_id) FROM instance_signals s WHERE s.instance_id = $1), 0)`,
};

export async function lastPlaces(transaction: Transaction, instanceId: string): Promise<Places> {
  const { rows } = await transaction.query(lastPlacesStatement, [instanceId]);
  return (rows[0] as unknown as Places | undefined) ?? beginning;
}

/** What lies behind the places, merged by time; of equal times in the order of the lists. At most `max`. */
export async function readEntries(
  transaction: Transaction,
  instanceId: string,
  places: Places,
  max: number,
  bytesMax: number,
): Promise<readonly Placed[]> {
  const answers = await Promise.all(
    lists.map((statement, list) => transaction.query(statement, [instanceId, places[list] ?? 0, max, bytesMax])),
  );
  const [checkpoints = [], events = [], retries = [], signals = []] = answers.map(({ rows }) => rows);
  return merged([checkpoints.map(checkpointOf), events.map(eventOf), retries.map(retryOf), signals.map(signalOf)], max);
}

function checkpointOf(row: Row): Placed {
  const [place, atMs, checkpointId, stateBytes, state] = row as readonly [
    number,
    number,
    string,
    number,
    Buffer | null,
  ];
  return { list: 0, place, entry: { kind: "checkpoint", atMs, checkpointId, state: state ?? undefined, stateBytes } };
}

/** No payload is null, one that is too long undefined. */
function payloadOf(bytes: number | null, payload: Buffer | null): Buffer | null | undefined {
  return bytes === null ? null : (payload ?? undefined);
}

function eventOf(row: Row): Placed {
  const [place, atMs, type, subtype, checkpointId, bytes, payload] = row as readonly [
    number,
    number,
    EventType,
    string | null,
    string | null,
    number | null,
    Buffer | null,
  ];
  const entry = { kind: "event", atMs, type, subtype, checkpointId, payload: payloadOf(bytes, payload) } as const;
  return { list: 1, place, entry };
}

function retryOf(row: Row): Placed {
  const [place, atMs, checkpointId, attempt, nextAtMs, error] = row as readonly [
    number,
    number,
    string,
    number,
    number | null,
    string | null,
  ];
  return { list: 2, place, entry: { kind: "retry", atMs, checkpointId, attempt, nextAtMs, error } };
}

function signalOf(row: Row): Placed {
  const [place, atMs, kind, name, delivered, bytes, payload] = row as readonly [
    number,
    number,
    SignalType | "slot" | "queued",
    string | null,
    boolean,
    number | null,
    Buffer | null,
  ];
  const type = kind === "slot" || kind === "queued" ? null : kind;
  return { list: 3, place, entry: { kind: "signal", atMs, type, name, payload: payloadOf(bytes, payload), delivered } };
}
