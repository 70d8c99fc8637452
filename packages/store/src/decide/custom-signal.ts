import type { CustomSignal } from "../model.ts";
import type { TakenSignal } from "./changes.ts";
import type { CustomSignalFacts } from "./facts.ts";
import type { InstanceRow } from "./row.ts";

export interface Taking {
  readonly custom: CustomSignal;
  readonly taken: TakenSignal;
}

const noBytes: Uint8Array = new Uint8Array(0);

/** What a call of the base protocol takes for a checkpoint id: the older one of its slot and of the queue of this name. */
export function takeCustomSignal(
  checkpointId: string,
  row: InstanceRow,
  { slot, queued }: CustomSignalFacts,
): Taking | undefined {
  const waiting = row.queuedSignals > 0 ? queued : undefined;
  const isQueued = waiting !== undefined && (slot === undefined || waiting.signalId < slot.signalId);
  const signal = isQueued ? waiting : slot;
  return signal === undefined
    ? undefined
    : {
        custom: { checkpointId, payload: signal.payload ?? noBytes },
        taken: { signalId: signal.signalId, queued: isQueued },
      };
}
