import { isFinal } from "../lifecycle/transition.ts";
import type { Changes, WideDecision } from "./changes.ts";
import { childMessageId, childResult } from "./child-result.ts";
import { Draft } from "./draft.ts";
import type { SettleFacts } from "./facts.ts";
import { request } from "./request.ts";
import type { InstanceRow } from "./row.ts";

type Other = WideDecision<unknown>["others"][number];

/**
 * Carries out what follows from one end: the parent gets the result, attached children are asked to cancel. Answers whether that has brought
 * new ends with effects of their own, or there are more children.
 */
export function decideSettle(
  operation: { readonly nowMs: number },
  row: InstanceRow,
  facts: SettleFacts,
): WideDecision<{ readonly more: boolean }> {
  if (!row.unsettled) return { result: { more: false }, changes: undefined, others: [] };
  const { nowMs } = operation;
  const draft = new Draft(row, nowMs);
  draft.row.unsettled = facts.moreChildren;
  const told = tellParent(nowMs, row, facts);
  const cancelled = facts.children.flatMap((child) => cancelChild(nowMs, child) ?? []);
  return {
    result: { more: facts.moreChildren || cancelled.some(({ changes }) => changes.row?.unsettled === true) },
    changes: draft.done(),
    others: told === undefined ? cancelled : [told, ...cancelled],
  };
}

function tellParent(nowMs: number, row: InstanceRow, facts: SettleFacts): Other | undefined {
  const { parent, signalId, told } = facts;
  if (parent === undefined || row.resultSignal === null || told || isFinal(parent.status)) return undefined;
  const draft = new Draft(parent, nowMs);
  const payload = childResult(row.status, facts);
  draft.enqueue({ signalId, name: row.resultSignal, messageId: childMessageId(row.instanceId), payload });
  return other(parent, draft.done());
}

function cancelChild(nowMs: number, child: InstanceRow): Other | undefined {
  if (isFinal(child.status) || child.detached) return undefined;
  const draft = new Draft(child, nowMs);
  request({ type: "cancel", payload: null }, null, draft);
  return other(child, draft.done());
}

function other({ instanceId }: InstanceRow, changes: Changes | undefined): Other | undefined {
  return changes === undefined ? undefined : { instanceId, changes };
}
