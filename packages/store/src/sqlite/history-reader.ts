import { merged, type Placed, type Places } from "../engines/history.ts";
import type { EventType, SignalType } from "../model.ts";
import type { CheckpointIndex } from "./checkpoint-index.ts";
import type { Connection } from "./statements.ts";

type Blob = Uint8Array | null;
type SavedColumns = readonly [place: number, checkpointId: string, atMs: number, bytes: number];
type EventColumns = readonly [
  place: number,
  type: EventType,
  subtype: string | null,
  checkpointId: string | null,
  payload: Blob,
  bytes: number | null,
  atMs: number,
];
type RetryColumns = readonly [
  place: number,
  checkpointId: string,
  attempt: number,
  nextAtMs: number | null,
  error: string | null,
  atMs: number,
];
type SignalColumns = readonly [
  place: number,
  kind: SignalType | "slot" | "queued",
  name: string | null,
  payload: Blob,
  bytes: number | null,
  atMs: number,
  deliveredAtMs: number | null,
];

function prepare(connection: Connection) {
  const sql = (text: string) => connection.prepare(text);
  const payload = "CASE WHEN length(payload) <= ?3 THEN payload END, length(payload)";
  return {
    checkpoints: sql(
      `SELECT i.id, c.checkpoint_id, c.created_at, length(c.state) FROM (
         SELECT id FROM checkpoint_ids WHERE instance_key = ?1 AND id > ?2
         UNION
         SELECT id FROM checkpoints WHERE id > max(?2, (SELECT indexed_up_to FROM checkpoint_index_state)) AND instance_key = ?1
         ORDER BY id LIMIT ?3
       ) AS i JOIN checkpoints AS c ON c.id = i.id ORDER BY i.id`,
    ),
    events: sql(
      `SELECT id, event_type, subtype, checkpoint_id, ${payload}, received_at FROM instance_events
       WHERE instance_key = ?1 AND id > ?2 ORDER BY id LIMIT ?4`,
    ),
    retries: sql(
      `SELECT position, checkpoint_id, attempt, next_at, error_message, created_at FROM retry_attempts
       WHERE instance_key = ? AND position > ? ORDER BY position LIMIT ?`,
    ),
    signals: sql(
      `SELECT signal_id, kind, name, ${payload}, created_at, delivered_at FROM instance_signals
       WHERE instance_key = ?1 AND signal_id > ?2 ORDER BY signal_id LIMIT ?4`,
    ),
    lastEvent: sql("SELECT max(id) FROM instance_events WHERE instance_key = ?"),
    lastSignal: sql("SELECT max(signal_id) FROM instance_signals WHERE instance_key = ?"),
  };
}

/** What happened to an instance: four lists, each in the order of arrival, merged by the server's time. */
export class HistoryReader {
  readonly #statements;
  readonly #checkpoints: CheckpointIndex;

  constructor(connection: Connection, checkpoints: CheckpointIndex) {
    this.#statements = prepare(connection);
    this.#checkpoints = checkpoints;
  }

  /** At most `limit` rows behind the places; of equal times in the order of the lists. */
  read(key: number, places: Places, bytesMax: number, limit: number): Placed[] {
    const lists = [
      this.#saved(key, places[0], bytesMax, limit),
      this.#events(key, places[1], bytesMax, limit),
      this.#retries(key, places[2], limit),
      this.#signals(key, places[3], bytesMax, limit),
    ];
    return merged(lists, limit);
  }

  /** Behind everything there is. */
  end(key: number): Places {
    const { lastEvent, lastSignal } = this.#statements;
    const lastRow = this.#checkpoints.lastRow;
    return [
      lastRow,
      lastEvent.get<[number | null]>(key)?.[0] ?? 0,
      lastRow,
      lastSignal.get<[number | null]>(key)?.[0] ?? 0,
    ];
  }

  #saved(key: number, place: number, bytesMax: number, limit: number): Placed[] {
    return this.#statements.checkpoints
      .all<SavedColumns>(key, place, limit)
      .map(([id, checkpointId, atMs, stateBytes]) => {
        const state = stateBytes <= bytesMax ? this.#checkpoints.read(id).state : undefined;
        return { list: 0, place: id, entry: { kind: "checkpoint", atMs, checkpointId, state, stateBytes } };
      });
  }

  #events(key: number, place: number, bytesMax: number, limit: number): Placed[] {
    return this.#statements.events
      .all<EventColumns>(key, place, bytesMax, limit)
      .map(([id, type, subtype, checkpointId, payload, bytes, atMs]) => ({
        list: 1,
        place: id,
        entry: { kind: "event", atMs, type, subtype, checkpointId, payload: shown(payload, bytes) },
      }));
  }

  #retries(key: number, place: number, limit: number): Placed[] {
    return this.#statements.retries
      .all<RetryColumns>(key, place, limit)
      .map(([position, checkpointId, attempt, nextAtMs, error, atMs]) => ({
        list: 2,
        place: position,
        entry: { kind: "retry", atMs, checkpointId, attempt, nextAtMs, error },
      }));
  }

  #signals(key: number, place: number, bytesMax: number, limit: number): Placed[] {
    return this.#statements.signals
      .all<SignalColumns>(key, place, bytesMax, limit)
      .map(([signalId, kind, name, payload, bytes, atMs, deliveredAtMs]) => ({
        list: 3,
        place: signalId,
        entry: {
          kind: "signal",
          atMs,
          type: kind === "slot" || kind === "queued" ? null : kind,
          name,
          payload: shown(payload, bytes),
          delivered: deliveredAtMs !== null,
        },
      }));
  }
}

/** Undefined: longer than asked for. */
function shown(payload: Blob, bytes: number | null): Blob | undefined {
  return bytes === null ? null : (payload ?? undefined);
}
