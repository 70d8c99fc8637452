import type { LifecycleEvent } from "../lifecycle/table.ts";
import type { AppendEvent, AppendEventResult } from "../operations/life.ts";
import type { Decision } from "./changes.ts";
import { Draft } from "./draft.ts";
import { fencedBy, unknownInstance } from "./guard.ts";
import type { InstanceRow } from "./row.ts";

export function decideAppendEvent(operation: AppendEvent, row: InstanceRow | undefined): Decision<AppendEventResult> {
  if (row === undefined) return { result: unknownInstance, changes: undefined };
  const fenced = fencedBy(operation, row);
  if (fenced !== undefined) return { result: fenced, changes: undefined };
  const draft = new Draft(row, operation.nowMs);
  draft.touch();
  draft.write({
    type: operation.type,
    subtype: operation.subtype ?? null,
    checkpointId: operation.checkpointId ?? null,
    payload: operation.payload ?? null,
    createdAtMs: operation.createdAtMs,
    receivedAtMs: operation.nowMs,
  });
  const event = eventOf(operation, row);
  if (event !== undefined && draft.happen(event, { byHolder: true }) === "accepted") addReport(operation, draft);
  const { status, unsettled } = draft.row;
  return { result: { outcome: "stored", status, unsettled }, changes: draft.done() };
}

/** What the event means for the instance's life; undefined = nothing. */
function eventOf({ type, reason }: AppendEvent, row: InstanceRow): LifecycleEvent | undefined {
  switch (type) {
    case "completed":
      return "complete";
    case "failed":
      return "fail";
    case "suspended":
      if (reason === "diverged") return "suspendDiverged";
      return reason === "paused" || row.pauseAcknowledged ? "suspendPaused" : "suspend";
    default:
      return undefined;
  }
}

function addReport(operation: AppendEvent, draft: Draft): void {
  if (draft.row.status === "completed") draft.add({ output: operation.output ?? null, error: null, failure: null });
  if (draft.row.status === "failed") {
    draft.add({ output: null, error: operation.error ?? null, failure: operation.failure ?? null });
  }
}
