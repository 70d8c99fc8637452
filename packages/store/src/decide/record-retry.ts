import type { RecordRetry, RecordRetryResult } from "../operations/checkpoints.ts";
import type { Decision } from "./changes.ts";
import { Draft } from "./draft.ts";
import type { RecordRetryFacts } from "./facts.ts";
import { fencedBy, unknownInstance } from "./guard.ts";
import type { InstanceRow } from "./row.ts";

export function decideRecordRetry(
  operation: RecordRetry,
  row: InstanceRow | undefined,
  facts: RecordRetryFacts,
): Decision<RecordRetryResult> {
  if (row === undefined) return { result: unknownInstance, changes: undefined };
  const fenced = fencedBy(operation, row);
  if (fenced !== undefined) return { result: fenced, changes: undefined };
  const { checkpointId, attempt, error, nextAtMs, nowMs } = operation;
  const draft = new Draft(row, nowMs);
  draft.touch();
  draft.add({ retry: { checkpointId, attempt, error: error ?? null, nextAtMs: nextAtMs ?? null } });
  draft.tell("history");
  if (nextAtMs !== undefined && nextAtMs > nowMs && !facts.checkpointExists && wakesByTime(row)) {
    draft.row.readyAtMs = Math.min(row.readyAtMs ?? nextAtMs, nextAtMs);
  }
  return { result: { outcome: "recorded" }, changes: draft.done() };
}

/** It suspended itself until something happens; a pause or a divergence is no such thing. */
function wakesByTime({ status, reason }: InstanceRow): boolean {
  return status === "suspended" && (reason === "sleeping" || reason === "waiting");
}
