import type { SaveCheckpoint, SaveCheckpointResult } from "../operations/checkpoints.ts";
import type { Changes, Decision } from "./changes.ts";
import { takeCustomSignal } from "./custom-signal.ts";
import { Draft } from "./draft.ts";
import type { SaveCheckpointFacts } from "./facts.ts";
import { refusalOf, unknownInstance } from "./guard.ts";
import type { InstanceRow } from "./row.ts";
import { pendingSignal } from "./start-facts.ts";

const noBytes: Uint8Array = new Uint8Array(0);

/** The hot path: without a custom signal it makes nothing but the new row and its change. */
export function decideSaveCheckpoint(
  operation: SaveCheckpoint,
  row: InstanceRow | undefined,
  facts: SaveCheckpointFacts,
): Decision<SaveCheckpointResult> {
  if (row === undefined) return { result: unknownInstance, changes: undefined };
  const refusal = refusalOf(operation, row);
  if (refusal !== undefined) return { result: refusal, changes: undefined };
  const { checkpointId } = operation;
  const isNew = facts.stored === undefined;
  const taking = takeCustomSignal(checkpointId, row, facts);
  const result: SaveCheckpointResult = {
    outcome: isNew ? "saved" : "found",
    state: facts.stored ?? noBytes,
    signal: pendingSignal(row, facts),
    custom: taking?.custom,
  };
  if (taking === undefined) return { result, changes: isNew ? savedAlone(operation, row) : undefined };
  const draft = new Draft(row, operation.nowMs);
  if (isNew) draft.save([operation]);
  draft.take([taking.taken]);
  return { result, changes: draft.done() };
}

function savedAlone({ checkpointId, state, nowMs }: SaveCheckpoint, row: InstanceRow): Changes {
  return {
    atMs: nowMs,
    row: {
      ...row,
      checkpointId,
      checkpointCount: row.checkpointCount + 1,
      lastSeenAtMs: Math.max(row.lastSeenAtMs ?? nowMs, nowMs),
    },
    checkpoints: [{ checkpointId, state }],
    notices: ["history"],
  };
}
