import { StoreError } from "../errors.ts";
import { isFinal } from "../lifecycle/transition.ts";
import { limits } from "../limits.ts";
import type { SendCustomSignal, SendCustomSignalResult } from "../operations/signals.ts";
import type { Decision } from "./changes.ts";
import { Draft } from "./draft.ts";
import type { SendCustomSignalFacts } from "./facts.ts";
import { seenBy, unknownInstance } from "./guard.ts";
import type { InstanceRow } from "./row.ts";

/** Throws `StoreError` OVERLOADED if too many signals wait in the instance's queue. */
export function decideSendCustomSignal(
  operation: SendCustomSignal,
  found: InstanceRow | undefined,
  { duplicateOf, signalId }: SendCustomSignalFacts,
): Decision<SendCustomSignalResult> {
  const row = seenBy(operation, found);
  if (row === undefined) return { result: unknownInstance, changes: undefined };
  const { messageId = null, name, nowMs, payload = null, queued } = operation;
  if (queued && duplicateOf !== undefined) {
    return { result: { outcome: "duplicate", signalId: duplicateOf }, changes: undefined };
  }
  if (queued && isFinal(row.status)) return { result: { outcome: "refused", status: row.status }, changes: undefined };
  const draft = new Draft(row, nowMs);
  if (queued) {
    guardQueue(row);
    draft.enqueue({ signalId, name, messageId, payload });
  } else {
    draft.add({ slotPut: { signalId, name, payload } });
    draft.arrive(name);
  }
  return { result: { outcome: "sent", signalId }, changes: draft.done() };
}

function guardQueue({ instanceId, queuedSignals }: InstanceRow): void {
  if (queuedSignals < limits.signalQueueMax) return;
  throw new StoreError(
    "OVERLOADED",
    `${queuedSignals} signals wait for instance '${instanceId}', the most that are kept: let it take some, then send again`,
  );
}
