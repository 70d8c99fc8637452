import { removable } from "../../decide/index.ts";
import { limits } from "../../limits.ts";
import type { RemoveOld, RemoveOldResult } from "../../operations/index.ts";
import type { Entry } from "../instance-rows.ts";
import type { Context } from "./context.ts";

const dayMs = 86_400_000;

function prepareQueries({ connection }: Context) {
  const sql = (text: string) => connection.prepare(text);
  return {
    // Ended ones behind a place, with the place of the next.
    ended: sql(
      `SELECT instance_id, finished_at FROM instances
       WHERE finished_at IS NOT NULL AND (finished_at, instance_id) > (?, ?) AND status IN ('completed', 'failed', 'cancelled')
       ORDER BY finished_at, instance_id LIMIT ?`,
    ),
    openChild: sql(
      "SELECT 1 FROM instances WHERE parent_id = ? AND status NOT IN ('completed', 'failed', 'cancelled') LIMIT 1",
    ),
    checkpoints: sql(
      `SELECT i.checkpoint_id, i.id FROM checkpoint_ids AS i JOIN checkpoints AS c ON c.id = i.id
       WHERE i.instance_key = ? AND c.created_at < ? LIMIT ?`,
    ),
    removeId: sql("DELETE FROM checkpoint_ids WHERE instance_key = ? AND checkpoint_id = ?"),
    removeCheckpoint: sql("DELETE FROM checkpoints WHERE id = ?"),
    removeRetries: sql(
      `DELETE FROM retry_attempts WHERE (instance_key, checkpoint_id, attempt) IN (
         SELECT instance_key, checkpoint_id, attempt FROM retry_attempts WHERE instance_key = ? AND created_at < ? LIMIT ?)`,
    ),
    removeEvents: sql(
      `DELETE FROM instance_events WHERE id IN (
         SELECT id FROM instance_events WHERE instance_key = ? AND received_at < ? LIMIT ?)`,
    ),
    removeInstance: sql("DELETE FROM instances WHERE instance_key = ?"),
    removeWorkers: sql(
      "DELETE FROM workers WHERE lease_until <= ? AND NOT EXISTS (SELECT 1 FROM instances WHERE holder = worker_id)",
    ),
    removeLosses: sql("DELETE FROM lost_work WHERE worker_id NOT IN (SELECT worker_id FROM workers)"),
  };
}

/** How far the present sweep over the ended instances has come. */
interface Place {
  readonly finishedAtMs: number;
  readonly instanceId: string;
}

const beginning: Place = { finishedAtMs: -1, instanceId: "" };

interface Removed {
  instances: number;
  events: number;
  checkpoints: number;
}

export function prepareRemoveOld(context: Context): (operation: RemoveOld) => RemoveOldResult {
  const queries = prepareQueries(context);
  const { rows, checkpoints } = context;
  let place = beginning;

  function removeCheckpoints({ key }: Entry, beforeMs: number, limit: number): number {
    const old = queries.checkpoints.all<[string, number]>(key, beforeMs, limit);
    for (const [checkpointId, id] of old) {
      queries.removeId.run(key, checkpointId);
      queries.removeCheckpoint.run(id);
    }
    return old.length;
  }

  /** Takes at most `limit` rows of one instance; true if it may have more. */
  function removeRows(operation: RemoveOld, entry: Entry, whole: boolean, limit: number, removed: Removed): boolean {
    const always = Number.MAX_SAFE_INTEGER;
    const checkpointsBeforeMs = whole ? always : operation.checkpointsBeforeMs;
    const eventsBeforeMs = whole ? always : operation.eventsBeforeMs;
    let left = limit;
    if (checkpointsBeforeMs !== undefined) {
      const saved = removeCheckpoints(entry, checkpointsBeforeMs, left);
      left -= saved;
      left -= queries.removeRetries.run(entry.key, checkpointsBeforeMs, left);
      removed.checkpoints += limit - left;
    }
    if (eventsBeforeMs !== undefined && left > 0) {
      const events = queries.removeEvents.run(entry.key, eventsBeforeMs, left);
      removed.events += events;
      left -= events;
    }
    return left === 0;
  }

  /** How many rows it took of this instance. Undefined = the limit was reached before its end. */
  function removeOf(operation: RemoveOld, entry: Entry, limit: number, removed: Removed): number | undefined {
    const hasOpenChild = queries.openChild.get(entry.row.instanceId) !== undefined;
    const may = removable(operation, entry.row, { hasOpenChild });
    if (!may.rows) return 0;
    const before = total(removed);
    if (removeRows(operation, entry, may.instance, limit, removed)) return undefined;
    if (may.instance) {
      queries.removeInstance.run(entry.key);
      rows.remove(entry);
      removed.instances += 1;
    }
    return total(removed) - before;
  }

  function result(removed: Removed, more: boolean): RemoveOldResult {
    if (total(removed) > 0) context.connection.database.exec(`PRAGMA incremental_vacuum(${limits.vacuumPagesMax})`);
    return { outcome: "removed", ...removed, more };
  }

  return (operation) => {
    const removed: Removed = { instances: 0, events: 0, checkpoints: 0 };
    rows.write();
    checkpoints.complete();
    queries.removeWorkers.run(operation.nowMs - dayMs);
    queries.removeLosses.run();
    const found = queries.ended.all<[string, number]>(place.finishedAtMs, place.instanceId, limits.removeLooksMax);
    let left = operation.limit;
    for (const [instanceId, finishedAtMs] of found) {
      const taken = removeOf(operation, rows.known(instanceId), left, removed);
      left -= taken ?? left;
      if (taken !== undefined) place = { finishedAtMs, instanceId };
      if (left <= 0) return result(removed, true);
    }
    const more = found.length === limits.removeLooksMax;
    if (!more) place = beginning;
    return result(removed, more);
  };
}

function total({ instances, events, checkpoints }: Removed): number {
  return instances + events + checkpoints;
}
