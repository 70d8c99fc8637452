import type { StatusReason } from "../model.ts";
import type { SuspendUntil, SuspendUntilResult } from "../operations/life.ts";
import type { Decision } from "./changes.ts";
import { Draft } from "./draft.ts";
import type { SuspendUntilFacts } from "./facts.ts";
import { fencedBy, unknownInstance } from "./guard.ts";
import type { InstanceRow } from "./row.ts";
import { pendingSignal } from "./start-facts.ts";

export function decideSuspendUntil(
  operation: SuspendUntil,
  row: InstanceRow | undefined,
  facts: SuspendUntilFacts,
): Decision<SuspendUntilResult> {
  if (row === undefined) return { result: unknownInstance, changes: undefined };
  const fenced = fencedBy(operation, row);
  if (fenced !== undefined) return { result: fenced, changes: undefined };
  if (isRepetition(row)) return { result: { outcome: "suspended" }, changes: undefined };
  const draft = new Draft(row, operation.nowMs);
  const { names, recordedSignal = null, untilMs } = operation;
  const event = names.length === 0 && untilMs !== undefined ? "suspendSleeping" : "suspendWaiting";
  const arm = {
    readyAtMs: wakeAtMs(untilMs, facts.nextRetryAtMs),
    names,
    recordedSignal: recordedOf(recordedSignal, row),
  };
  if (draft.happen(event, { arm, byHolder: true }) === "refused") {
    return { result: { outcome: "refused", status: row.status }, changes: undefined };
  }
  if (hasHappened(operation, row, facts)) {
    return {
      result: { outcome: "notYet", signal: pendingSignal(row, facts), queued: facts.queued },
      changes: undefined,
    };
  }
  return { result: { outcome: "suspended" }, changes: draft.done() };
}

/** Reasons that one which has suspended itself can have by now: an operator may have paused or resumed it since. */
const reasonsSince: readonly (StatusReason | null)[] = ["sleeping", "waiting", "paused", null];

/** The epoch is the caller's own, so nobody has begun a life since: the caller itself suspended it, and did not hear of it. */
function isRepetition(row: InstanceRow): boolean {
  return row.status === "suspended" && reasonsSince.includes(row.reason);
}

/** A signal can only be recorded while it is pending. */
function recordedOf(recorded: SuspendUntil["recordedSignal"] | null, row: InstanceRow): InstanceRow["recordedSignal"] {
  return recorded === row.pendingSignal ? recorded : null;
}

function hasHappened(
  { recordedSignal, untilMs, nowMs }: SuspendUntil,
  row: InstanceRow,
  { queued }: SuspendUntilFacts,
): boolean {
  const isNews = row.pendingSignal !== null && row.pendingSignal !== recordedSignal;
  return isNews || queued.length > 0 || (untilMs !== undefined && untilMs <= nowMs);
}

function wakeAtMs(untilMs: number | undefined, nextRetryAtMs: number | undefined): number | null {
  if (untilMs === undefined) return nextRetryAtMs ?? null;
  return Math.min(untilMs, nextRetryAtMs ?? untilMs);
}
