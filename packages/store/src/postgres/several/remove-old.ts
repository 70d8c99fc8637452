import { limits } from "../../limits.ts";
import type { RemoveOld, RemoveOldResult } from "../../operations/index.ts";
import type { Connections, Parameter, Row, Statement, Transaction } from "../connections/port.ts";
import { boolArray, textArray } from "../parameters.ts";
import * as statements from "./remove-old-statements.ts";
import type { SeveralDone } from "./several.ts";

/** How far a sweep over the ended instances has come. */
interface Place {
  /** Microseconds as text; null = nowhere yet. */
  readonly endedAt: string | null;
  readonly instanceId: string;
}

interface Ended {
  readonly place: Place;
  /** Whether any of its rows may go. */
  readonly removable: boolean;
  readonly whole: boolean;
}

const beginning: Place = { endedAt: null, instanceId: "" };

/** Of each store, which is known by its connections. One that is lost costs a look at what was looked at already. */
const places = new WeakMap<Connections, Place>();

/**
 * One round: looks at `limits.removeLooksMax` ended instances behind the last round's and removes at most `limit` rows of them. While the limit is
 * reached the next round begins at the same place.
 */
export async function removeOld(connections: Connections, operation: RemoveOld): Promise<SeveralDone<RemoveOldResult>> {
  const place = places.get(connections) ?? beginning;
  await connections.slow.query(statements.workersStatement, [operation.nowMs - limits.workerKeptMs]);
  const { result, next } = await connections.slow.transaction((transaction) => round(transaction, operation, place));
  places.set(connections, next);
  return { result, written: [] };
}

async function round(transaction: Transaction, operation: RemoveOld, place: Place) {
  const found = await look(transaction, operation, place);
  const { left, ...removed } = await remove(transaction, operation, found);
  const isLimited = left <= 0;
  const isEnd = found.length < limits.removeLooksMax;
  const behind = isEnd ? beginning : (found.at(-1)?.place ?? beginning);
  const result: RemoveOldResult = { outcome: "removed", ...removed, more: isLimited || !isEnd };
  return { result, next: isLimited ? place : behind };
}

async function look(transaction: Transaction, operation: RemoveOld, place: Place): Promise<readonly Ended[]> {
  const { checkpointsBeforeMs, eventsBeforeMs, instancesEndedBeforeMs = null } = operation;
  const onlyWhole = checkpointsBeforeMs === undefined && eventsBeforeMs === undefined;
  if (onlyWhole && instancesEndedBeforeMs === null) return [];
  const [, ended] = await Promise.all([
    transaction.query(statements.turnStatement, []),
    transaction.query(statements.endedStatement, [
      place.endedAt,
      place.instanceId,
      onlyWhole ? instancesEndedBeforeMs : null,
      instancesEndedBeforeMs,
      limits.removeLooksMax,
    ]),
  ]);
  return ended.rows.map(endedOf);
}

function endedOf(row: Row): Ended {
  const [instanceId, endedAt, removable, whole] = row as readonly [string, string, boolean, boolean];
  return { place: { endedAt, instanceId }, removable, whole };
}

/** What refers to an instance goes before it, so that no statement takes more rows than the limit. */
async function remove(transaction: Transaction, operation: RemoveOld, found: readonly Ended[]) {
  const { checkpointsBeforeMs = null, eventsBeforeMs = null, instancesEndedBeforeMs = null, limit } = operation;
  const chosen = found.filter(({ removable }) => removable);
  const whole = chosen.filter((each) => each.whole);
  const of = (ended: readonly Ended[]): Buffer => textArray(ended.map(({ place }) => place.instanceId));
  let left = limit;
  const take = async (from: readonly Ended[], statement: Statement, ...values: readonly Parameter[]) => {
    if (left <= 0 || from.length === 0) return 0;
    const { rowCount } = await transaction.query(statement, [of(from), ...values, left]);
    left -= rowCount;
    return rowCount;
  };
  const rows = async (statement: Statement, beforeMs: number | null): Promise<number> => {
    const from = beforeMs === null ? whole : chosen;
    return await take(from, statement, boolArray(from.map((each) => each.whole)), beforeMs);
  };
  const saved = await rows(statements.checkpointsStatement, checkpointsBeforeMs);
  const retried = await rows(statements.retriesStatement, checkpointsBeforeMs);
  const events = await rows(statements.eventsStatement, eventsBeforeMs);
  const instances = await take(whole, statements.instancesStatement, instancesEndedBeforeMs);
  return { instances, events, checkpoints: saved + retried, left };
}
