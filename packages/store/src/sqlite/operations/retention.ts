import { removable } from "../../decide/index.ts";
import { limits } from "../../limits.ts";
import type { RemoveOld, RemoveOldResult } from "../../operations/index.ts";
import type { Entry } from "../instance-rows.ts";
import type { Statement } from "../statements.ts";
import type { Context } from "./context.ts";
import { RetentionSlice } from "./retention-slice.ts";

/**
 * Ended ones behind a place, and whether there may be something to remove of them: nothing of an instance is older than itself. Parameters: the
 * bounds of instances, checkpoints and events; the place; how many. The status is kept out of the choice of an index: by instances_by_status,
 * each look would sort all that have ended.
 */
export const endedSql = `SELECT instance_id, finished_at, CASE
    WHEN finished_at < ?1 THEN 1
    WHEN created_at >= max(?2, ?3) THEN 0
    ELSE EXISTS (
      SELECT 1 FROM instance_events AS e WHERE e.instance_key = instances.instance_key AND received_at < ?3
    ) OR EXISTS (
      SELECT 1 FROM retry_attempts AS r WHERE r.instance_key = instances.instance_key AND r.created_at < ?2
    ) OR EXISTS (
      SELECT 1 FROM checkpoint_ids AS i JOIN checkpoints AS c USING (id)
      WHERE i.instance_key = instances.instance_key AND c.created_at < ?2
    ) END
  FROM instances
  WHERE finished_at IS NOT NULL AND (finished_at, instance_id) > (?4, ?5) AND +status IN ('completed', 'failed', 'cancelled')
  ORDER BY finished_at, instance_id LIMIT ?6`;

function prepareQueries({ connection }: Context) {
  const sql = (text: string) => connection.prepare(text);
  return {
    ended: sql(endedSql),
    openChild: sql(
      "SELECT 1 FROM instances WHERE parent_id = ? AND status NOT IN ('completed', 'failed', 'cancelled') LIMIT 1",
    ),
    checkpoints: sql(
      `SELECT i.checkpoint_id, i.id, length(c.state) FROM checkpoint_ids AS i JOIN checkpoints AS c ON c.id = i.id
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
    signals: sql(
      "SELECT signal_id, kind = 'queued' AND delivered_at IS NULL FROM instance_signals WHERE instance_key = ? LIMIT ?",
    ),
    removeSignal: sql("DELETE FROM instance_signals WHERE signal_id = ?"),
    countQueued: sql("UPDATE instances SET queued_signal_count = queued_signal_count - ? WHERE instance_key = ?"),
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

/** Id, time of its end, and 1 if there may be something to remove. */
type Look = readonly [string, number, number];

const beginning: Place = { finishedAtMs: -1, instanceId: "" };
const always = Number.MAX_SAFE_INTEGER;

/** Takes what is old of single instances, until the slice is full. */
class Remover {
  readonly #context: Context;
  readonly #queries: ReturnType<typeof prepareQueries>;

  constructor(context: Context, queries: ReturnType<typeof prepareQueries>) {
    this.#context = context;
    this.#queries = queries;
  }

  /** False if the slice was full before its end. */
  removeOf(operation: RemoveOld, entry: Entry, slice: RetentionSlice): boolean {
    const { key, row } = entry;
    const hasOpenChild = this.#queries.openChild.get(row.instanceId) !== undefined;
    const may = removable(operation, row, { hasOpenChild });
    if (!may.rows) return true;
    const checkpointsBeforeMs = may.instance ? always : operation.checkpointsBeforeMs;
    const eventsBeforeMs = may.instance ? always : operation.eventsBeforeMs;
    if (checkpointsBeforeMs !== undefined) {
      if (!this.#removeCheckpoints(key, checkpointsBeforeMs, slice)) return false;
      if (!this.#removeRows(this.#queries.removeRetries, "checkpoints", key, checkpointsBeforeMs, slice)) return false;
    }
    const { removeEvents } = this.#queries;
    if (eventsBeforeMs !== undefined && !this.#removeRows(removeEvents, "events", key, eventsBeforeMs, slice))
      return false;
    if (!may.instance) return true;
    if (!this.#removeSignals(key, slice)) return false;
    this.#queries.removeInstance.run(key);
    slice.instances += 1;
    slice.weigh(1);
    return true;
  }

  #removeCheckpoints(key: number, beforeMs: number, slice: RetentionSlice): boolean {
    const { checkpoints } = this.#context;
    // Rows that wait for the index are looked up in memory and must not go before they are in it.
    if (checkpoints.recentOf(key, 0).length > 0) checkpoints.complete();
    for (;;) {
      const { next } = slice;
      const old = this.#queries.checkpoints.all<[string, number, number]>(key, beforeMs, next);
      for (const [checkpointId, id, bytes] of old) {
        this.#queries.removeId.run(key, checkpointId);
        this.#queries.removeCheckpoint.run(id);
        slice.checkpoints += 1;
        slice.weigh(1 + Math.floor(bytes / 4_096));
        if (slice.isFull) return false;
      }
      if (old.length < next) return true;
    }
  }

  #removeRows(
    remove: Statement,
    counted: "checkpoints" | "events",
    key: number,
    beforeMs: number,
    slice: RetentionSlice,
  ): boolean {
    for (;;) {
      const { next } = slice;
      const count = remove.run(key, beforeMs, next);
      slice[counted] += count;
      slice.weigh(count);
      if (slice.isFull) return false;
      if (count < next) return true;
    }
  }

  /** They would go with the instance, but there may be very many. They count as no rows of the result. */
  #removeSignals(key: number, slice: RetentionSlice): boolean {
    for (;;) {
      const signals = this.#queries.signals.all<[number, number]>(key, limits.removeRowsAtOnce);
      let queued = 0;
      for (const [signalId, waits] of signals) {
        this.#queries.removeSignal.run(signalId);
        queued += waits;
      }
      if (queued > 0) this.#queries.countQueued.run(queued, key);
      slice.weigh(signals.length);
      if (signals.length < limits.removeRowsAtOnce) return true;
      if (slice.isFull) return false;
    }
  }
}

export function prepareRemoveOld(context: Context): (operation: RemoveOld) => RemoveOldResult {
  const queries = prepareQueries(context);
  const remover = new Remover(context, queries);
  const { rows } = context;
  let place = beginning;

  function giveBack(slice: RetentionSlice): void {
    if (slice.rows === 0) return;
    for (let pages = 0; pages < limits.vacuumPagesMax; pages += limits.vacuumPagesAtOnce) {
      context.connection.database.exec(`PRAGMA incremental_vacuum(${limits.vacuumPagesAtOnce})`);
      if (slice.isLate) return;
    }
  }

  /** Looks at the next ones, one page; whether it came to its end. */
  function lookOn(operation: RemoveOld, slice: RetentionSlice, page: readonly Look[]): boolean {
    for (const [instanceId, finishedAtMs, mayHaveOld] of page) {
      slice.weigh(1);
      if (mayHaveOld === 1) {
        const entry = rows.known(instanceId);
        const done = remover.removeOf(operation, entry, slice);
        // Ended ones have no place in memory among those that are worked on.
        rows.remove(entry);
        if (!done) return false;
      }
      place = { finishedAtMs, instanceId };
      if (mayHaveOld === 1 && slice.isFull) return false;
    }
    return true;
  }

  /** Whether there may be more. */
  function sweep(operation: RemoveOld, slice: RetentionSlice): boolean {
    const { instancesEndedBeforeMs = 0, checkpointsBeforeMs = 0, eventsBeforeMs = 0 } = operation;
    // The sweep finds old checkpoints by the index, so those that are old must be in it.
    const { checkpoints } = context;
    if (place === beginning && checkpoints.oldestWaitingMs < checkpointsBeforeMs) checkpoints.complete();
    for (;;) {
      const page = queries.ended.all<Look>(
        instancesEndedBeforeMs,
        checkpointsBeforeMs,
        eventsBeforeMs,
        place.finishedAtMs,
        place.instanceId,
        limits.removeLooksAtOnce,
      );
      if (!lookOn(operation, slice, page)) return true;
      if (page.length < limits.removeLooksAtOnce) {
        place = beginning;
        return false;
      }
      if (slice.isFull) return true;
    }
  }

  return (operation) => {
    rows.write();
    queries.removeWorkers.run(operation.nowMs - limits.workerKeptMs);
    queries.removeLosses.run();
    const slice = new RetentionSlice(operation.limit);
    const more = sweep(operation, slice);
    giveBack(slice);
    const { instances, events, checkpoints } = slice;
    return { outcome: "removed", instances, events, checkpoints, more };
  };
}
