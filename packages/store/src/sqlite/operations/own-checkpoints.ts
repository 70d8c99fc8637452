import { unknownInstance } from "../../decide/index.ts";
import { badCursor, cursorOf, placeOf } from "../../engines/cursors.ts";
import { limits } from "../../limits.ts";
import type { ListOwnCheckpoints, ListOwnCheckpointsResult, OwnCheckpoint, OwnRetry } from "../../operations/index.ts";
import type { Context } from "./context.ts";

type Saved = readonly [position: number, checkpointId: string, createdAtMs: number, stateBytes: number];
type Retried = readonly [
  position: number,
  checkpointId: string,
  attempt: number,
  createdAtMs: number,
  nextAtMs: number | null,
  error: string | null,
];

export function prepareListOwnCheckpoints(
  context: Context,
): (operation: ListOwnCheckpoints) => ListOwnCheckpointsResult {
  const sql = (text: string) => context.connection.prepare(text);
  const begins = "checkpoint_id >= ?3 AND substr(checkpoint_id, 1, length(?3)) = ?3";
  const indexed = sql(
    `SELECT i.id, i.checkpoint_id, c.created_at, length(c.state) FROM (
       SELECT id, checkpoint_id FROM checkpoint_ids WHERE instance_key = ?1 AND id > ?2 AND ${begins} ORDER BY id LIMIT ?4
     ) AS i JOIN checkpoints AS c ON c.id = i.id ORDER BY i.id`,
  );
  // Those that wait for the index, less what it has already of them.
  const recent = sql(
    `SELECT id, checkpoint_id, created_at, length(state) FROM checkpoints
     WHERE id > max(?2, (SELECT indexed_up_to FROM checkpoint_index_state)) AND instance_key = ?1 AND ${begins}
       AND id NOT IN (SELECT id FROM checkpoint_ids WHERE instance_key = ?1 AND ${begins})
     ORDER BY id LIMIT ?4`,
  );
  const retries = sql(
    `SELECT position, checkpoint_id, attempt, created_at, next_at, error_message FROM retry_attempts AS r
     WHERE instance_key = ?1 AND position > ?2 AND ${begins}
       AND NOT EXISTS (SELECT 1 FROM retry_attempts AS n
         WHERE n.instance_key = ?1 AND n.checkpoint_id = r.checkpoint_id AND n.position > r.position)
     ORDER BY position LIMIT ?4`,
  );
  return ({ instanceId, epoch, cursor, behind, prefix, stateBytesMax, pageBytesMax }) => {
    const entry = context.rows.get(instanceId);
    if (entry === undefined) return unknownInstance;
    if (entry.row.epoch !== epoch) return { outcome: "fenced", epoch: entry.row.epoch };
    const first = behind === undefined ? undefined : context.checkpoints.find(entry.key, behind);
    const place = cursor === undefined ? [first ?? 0] : placeOf("own", cursor, [0]);
    if (place === undefined) return badCursor;
    const which = [entry.key, place[0] ?? 0, prefix, limits.ownRowsMax + 1] as const;
    const saved = [...indexed.all<Saved>(...which), ...recent.all<Saved>(...which)].sort(byPosition);
    return pageOf(saved, retries.all<Retried>(...which), stateBytesMax, pageBytesMax, (position) =>
      context.checkpoints.read(position),
    );
  };
}

function byPosition([a]: Saved, [b]: Saved): number {
  return a - b;
}

/** Merges both lists by their places, as far as the page's bytes reach, but at least one row. */
function pageOf(
  saved: readonly Saved[],
  retried: readonly Retried[],
  stateBytesMax: number,
  pageBytesMax: number,
  read: (position: number) => { readonly state: Uint8Array },
): ListOwnCheckpointsResult {
  const checkpoints: OwnCheckpoint[] = [];
  const retries: OwnRetry[] = [];
  let bytes = 0;
  let last = 0;
  for (;;) {
    const nextSaved = saved[checkpoints.length];
    const nextRetry = retried[retries.length];
    const size = checkpoints.length + retries.length;
    if (nextSaved === undefined && nextRetry === undefined) {
      return { outcome: "page", checkpoints, retries, nextCursor: undefined };
    }
    if (size === limits.ownRowsMax) break;
    if (nextSaved === undefined || (nextRetry !== undefined && nextRetry[0] < nextSaved[0])) {
      const [position, checkpointId, attempt, createdAtMs, nextAtMs, error] = nextRetry as Retried;
      retries.push({ checkpointId, attempt, createdAtMs, nextAtMs, error });
      last = position;
      continue;
    }
    const [position, checkpointId, createdAtMs, stateBytes] = nextSaved;
    const isWhole = stateBytes <= stateBytesMax;
    if (isWhole && size > 0 && bytes + stateBytes > pageBytesMax) break;
    bytes += isWhole ? stateBytes : 0;
    checkpoints.push({ checkpointId, state: isWhole ? read(position).state : undefined, stateBytes, createdAtMs });
    last = position;
  }
  return { outcome: "page", checkpoints, retries, nextCursor: cursorOf("own", [last]) };
}
