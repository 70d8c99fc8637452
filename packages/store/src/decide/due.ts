import { limits } from "../limits.ts";
import type { FireDue } from "../operations/life.ts";
import type { Decision } from "./changes.ts";
import { Draft } from "./draft.ts";
import { dueAtMs, silentSinceMs, timeOutAtMs } from "./due-time.ts";
import type { DueFacts } from "./facts.ts";
import type { InstanceRow } from "./row.ts";

/** `none`: it was not its time after all, at most its due time has moved. */
export type DueOutcome = "timedOut" | "lost" | "abandoned" | "none";

/** Judges one row whose due time has come, or whose holder's lease ended `limits.leaseGraceMs` ago. */
export function decideDue(operation: FireDue, row: InstanceRow, facts: DueFacts): Decision<DueOutcome> {
  const draft = new Draft(row, operation.nowMs);
  const result = judge(operation, row, facts);
  if (result === "timedOut") draft.happen("timeOut");
  else if (result === "lost") draft.happen("loseTrack");
  else if (result === "abandoned") draft.happen("leaseEnded");
  else draft.row.dueAtMs = row.status === "running" ? nextDueAtMs(operation, row, facts) : null;
  return { result, changes: draft.done() };
}

function judge(operation: FireDue, row: InstanceRow, facts: DueFacts): DueOutcome {
  if (row.status !== "running") return "none";
  const { nowMs, staleAfterMs } = operation;
  if ((timeOutAtMs(row) ?? Number.POSITIVE_INFINITY) <= nowMs) return "timedOut";
  if (row.holder !== null) {
    return (facts.holderLeaseUntilMs ?? 0) + limits.leaseGraceMs <= nowMs ? "abandoned" : "none";
  }
  const isSilent = staleAfterMs > 0 && nowMs - silentSinceMs(row, operation.silentSinceMs) >= staleAfterMs;
  return isSilent && !facts.launched ? "lost" : "none";
}

/** A launched one is its environment's to watch; whether it still is gets looked at again. */
function nextDueAtMs(operation: FireDue, row: InstanceRow, { launched }: DueFacts): number | null {
  const { nowMs, staleAfterMs } = operation;
  const due = dueAtMs(row, staleAfterMs, operation.silentSinceMs);
  if (!launched || due === null || due > nowMs) return due;
  return Math.min(timeOutAtMs(row) ?? Number.POSITIVE_INFINITY, nowMs + staleAfterMs);
}
