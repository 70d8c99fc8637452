import { isFinal } from "../lifecycle/transition.ts";
import type { BeginSleep, BeginSleepResult, EndSleep, EndSleepResult } from "../operations/life.ts";
import type { Decision } from "./changes.ts";
import { Draft } from "./draft.ts";
import type { BeginSleepFacts, EndSleepFacts } from "./facts.ts";
import { fencedBy } from "./guard.ts";
import type { InstanceRow } from "./row.ts";

export function decideBeginSleep(
  operation: BeginSleep,
  row: InstanceRow | undefined,
  { latest, earlier }: BeginSleepFacts,
): Decision<BeginSleepResult> {
  if (row === undefined || isFinal(row.status) || fencedBy(operation, row) !== undefined) {
    return { result: { outcome: "unrecorded" }, changes: undefined };
  }
  const { checkpointId, durationMs, nowMs, state } = operation;
  const draft = new Draft(row, nowMs);
  draft.touch();
  if (latest !== undefined && !latest.finished) {
    const { ordinal, wakeAtMs } = latest;
    return { result: { outcome: "sleeping", ordinal, wakeAtMs, continued: true }, changes: draft.done() };
  }
  const ordinal = (latest?.ordinal ?? 0) + 1;
  const wakeAtMs = earlier?.wakeAtMs ?? nowMs + durationMs;
  const continued = earlier !== undefined;
  draft.add({
    sleepPut: {
      checkpointId,
      ordinal,
      epoch: row.epoch,
      finished: false,
      wakeAtMs,
      state: continued ? undefined : state,
    },
  });
  return { result: { outcome: "sleeping", ordinal, wakeAtMs, continued }, changes: draft.done() };
}

export function decideEndSleep(
  operation: EndSleep,
  row: InstanceRow | undefined,
  { record }: EndSleepFacts,
): Decision<EndSleepResult> {
  const result: EndSleepResult = { outcome: "ended" };
  if (row === undefined || record === undefined || record.finished) return { result, changes: undefined };
  if (fencedBy(operation, row) !== undefined || record.epoch !== row.epoch) return { result, changes: undefined };
  const { checkpointId, ordinal } = operation;
  // The operation says no time; the change writes none.
  const draft = new Draft(row, row.startedAtMs ?? row.createdAtMs);
  draft.add({
    sleepPut: { checkpointId, ordinal, epoch: row.epoch, finished: true, wakeAtMs: record.wakeAtMs, state: undefined },
  });
  return { result, changes: draft.done() };
}
