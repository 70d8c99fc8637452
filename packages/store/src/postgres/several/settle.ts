import { childMessageId, decideSettle, type InstanceRow, type WideDecision } from "../../decide/index.ts";
import { isFinal } from "../../lifecycle/transition.ts";
import { limits } from "../../limits.ts";
import { instanceStatuses } from "../../model.ts";
import type { SettleEnded, SettleEndedResult } from "../../operations/index.ts";
import type { Connections, Row, Statement, Transaction } from "../connections/port.ts";
import { textArray } from "../parameters.ts";
import { type LockedRows, lockRows } from "../rows/lock.ts";
import { writeChanges } from "../rows/write-changes.ts";
import type { InstanceChanges } from "../rows/write-rows.ts";
import { listed } from "../sql.ts";
import { inTurn } from "./in-turn.ts";
import type { SeveralDone } from "./several.ts";

const final = listed(instanceStatuses.filter(isFinal));

/**
 * $1 how many ends, oldest first. Chosen without a lock, because parent, end and children have to be locked in one order; whoever comes second finds the
 * end settled. One more child than allowed shows that there are more.
 */
export const chooseStatement: Statement = {
  name: "settle_choose",
  text: `
SELECT e.instance_id, e.parent_id, array(
  SELECT c.instance_id FROM instances c
  WHERE c.parent_id = e.instance_id AND NOT coalesce(c.detached, false) AND c.status NOT IN (${final})
    AND NOT EXISTS (SELECT FROM pending_signals g
      WHERE g.instance_id = c.instance_id AND g.signal_type = 'cancel' AND g.acknowledged_at IS NULL)
  ORDER BY c.instance_id COLLATE "C" LIMIT ${limits.settleChildrenMax + 1})
FROM instances e WHERE e.unsettled ORDER BY e.finished_at, e.instance_id COLLATE "C" LIMIT $1`,
};

/** $1 ends, $2 their parents, $3 the message ids of their results. */
export const factsStatement: Statement = {
  name: "settle_facts",
  text: `
SELECT i.output, i.error, i.failure, nextval('pending_checkpoint_signals_id_seq'),
  EXISTS (SELECT FROM instance_signals s WHERE s.instance_id = t.parent_id AND s.message_id = t.message_id)
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS t (instance_id, parent_id, message_id, ord)
  LEFT JOIN instances i USING (instance_id)
ORDER BY t.ord`,
};

interface End {
  readonly instanceId: string;
  readonly parentId: string | null;
  readonly children: readonly string[];
  readonly moreChildren: boolean;
}

export async function settleEnded(
  connections: Connections,
  operation: SettleEnded,
): Promise<SeveralDone<SettleEndedResult>> {
  return await inTurn(connections, connections.several, async (transaction) => {
    const chosen = await transaction.query(chooseStatement, [operation.limit + 1]);
    const ends = withinBound(chosen.rows.slice(0, operation.limit).map(endOf));
    if (ends.length === 0) return { result: { outcome: "settled", count: 0, more: false }, written: [] };
    const decided = await decideAll(transaction, operation, ends);
    const written = decided.flatMap(changesOf);
    writeChanges(transaction, written);
    const count = decided.filter(({ changes }) => changes !== undefined).length;
    const more = ends.length < chosen.rows.length || decided.some(({ result }) => result.more);
    return { result: { outcome: "settled", count, more }, written };
  });
}

type Settled = WideDecision<{ readonly more: boolean }> & { readonly instanceId: string };

/** One after the other: a parent may get the results of several children. */
async function decideAll(transaction: Transaction, operation: SettleEnded, ends: readonly End[]): Promise<Settled[]> {
  const ids = ends.flatMap(({ instanceId, parentId, children }) => [
    instanceId,
    ...(parentId === null ? [] : [parentId]),
    ...children,
  ]);
  const [rows, facts] = await Promise.all([
    lockRows(transaction, ids),
    transaction.query(factsStatement, [
      textArray(ends.map(({ instanceId }) => instanceId)),
      textArray(ends.map(({ parentId }) => parentId)),
      textArray(ends.map(({ instanceId }) => childMessageId(instanceId))),
    ]),
  ]);
  return ends.flatMap((end, index) => {
    const row = rows.get(end.instanceId);
    const read = facts.rows[index];
    return row === undefined || read === undefined ? [] : [decideEnd(operation, end, row, rows, read)];
  });
}

function decideEnd(operation: SettleEnded, end: End, row: InstanceRow, rows: LockedRows, read: Row): Settled {
  const [output, error, failure, signalId, told] = read as readonly [
    Buffer | null,
    string | null,
    Buffer | null,
    number,
    boolean,
  ];
  const decision = decideSettle(operation, row, {
    output,
    error,
    failure,
    signalId,
    told,
    parent: end.parentId === null ? undefined : rows.get(end.parentId),
    children: end.children.flatMap((child) => rows.get(child) ?? []),
    moreChildren: end.moreChildren,
  });
  const settled = { ...decision, instanceId: end.instanceId };
  for (const { changes } of changesOf(settled)) rows.apply(changes.row);
  return settled;
}

function changesOf({ instanceId, changes, others }: Settled): readonly InstanceChanges[] {
  return changes === undefined ? others : [{ instanceId, changes }, ...others];
}

function endOf(row: Row): End {
  const [instanceId, parentId, children] = row as readonly [string, string | null, readonly string[]];
  const max = limits.settleChildrenMax;
  return { instanceId, parentId, children: children.slice(0, max), moreChildren: children.length > max };
}

/** As many ends as have no more children together than one round may cancel, but at least one. */
function withinBound(ends: readonly End[]): readonly End[] {
  let children = 0;
  return ends.filter((end, index) => {
    children += end.children.length;
    return index === 0 || children <= limits.settleChildrenMax;
  });
}
