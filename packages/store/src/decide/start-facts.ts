import type { PendingSignal, StartFacts } from "../model.ts";
import type { SignalFacts } from "./facts.ts";
import type { InstanceRow } from "./row.ts";

const noBytes: Uint8Array = new Uint8Array(0);

/** The unacknowledged signal with its payload. */
export function pendingSignal(row: InstanceRow, { signalPayload }: SignalFacts): PendingSignal | undefined {
  return row.pendingSignal === null ? undefined : { type: row.pendingSignal, payload: signalPayload ?? noBytes };
}

/** What a process is told of an instance that has just begun a life. */
export function startFacts(
  row: InstanceRow,
  facts: SignalFacts & { readonly retryCount: number; readonly input: Uint8Array | null },
): StartFacts {
  return {
    epoch: row.epoch,
    checkpointCount: row.checkpointCount + facts.retryCount,
    input: facts.input,
    firstStartedAtMs: row.firstStartedAtMs ?? row.createdAtMs,
    seed: row.seed ?? noBytes,
    run: row.run,
    workflow: row.workflow,
    version: row.version,
    parentInstanceId: row.parentId,
    signal: pendingSignal(row, facts),
  };
}
