import type { LifecycleEvent } from "../lifecycle/table.ts";
import type { SignalType } from "../model.ts";
import type { AcknowledgeSignal, AcknowledgeSignalResult } from "../operations/signals.ts";
import type { Decision } from "./changes.ts";
import { Draft } from "./draft.ts";
import { fencedBy, unknownInstance } from "./guard.ts";
import type { InstanceRow } from "./row.ts";

const events: Readonly<Record<SignalType, LifecycleEvent>> = {
  cancel: "acknowledgeCancel",
  pause: "acknowledgePause",
  resume: "acknowledgeResume",
};

export function decideAcknowledgeSignal(
  operation: AcknowledgeSignal,
  row: InstanceRow | undefined,
): Decision<AcknowledgeSignalResult> {
  if (row === undefined) return { result: unknownInstance, changes: undefined };
  const fenced = fencedBy(operation, row);
  if (fenced !== undefined) return { result: fenced, changes: undefined };
  const draft = new Draft(row, operation.nowMs);
  draft.touch();
  const happened = draft.happen(events[operation.signal], { byHolder: true });
  if (happened === "refused") {
    return { result: { outcome: "notPending", pending: row.pendingSignal ?? undefined }, changes: undefined };
  }
  const { status, unsettled } = draft.row;
  return { result: { outcome: "acknowledged", status, unsettled }, changes: draft.done() };
}
