import { isFinal } from "../lifecycle/transition.ts";
import type { SendSignal, SendSignalResult } from "../operations/signals.ts";
import type { Decision } from "./changes.ts";
import { Draft } from "./draft.ts";
import { seenBy, unknownInstance } from "./guard.ts";
import { request } from "./request.ts";
import type { InstanceRow } from "./row.ts";

export function decideSendSignal(operation: SendSignal, found: InstanceRow | undefined): Decision<SendSignalResult> {
  const row = seenBy(operation, found);
  if (row === undefined) return { result: unknownInstance, changes: undefined };
  const { status, unsettled } = row;
  if (isFinal(status)) return { result: { outcome: "refused", status }, changes: undefined };
  if (row.pendingSignal === "cancel") {
    return { result: { outcome: "cancelKept", status, unsettled }, changes: undefined };
  }
  const draft = new Draft(row, operation.nowMs);
  request({ type: operation.signal, payload: operation.payload ?? null }, null, draft);
  return {
    result: { outcome: "sent", status: draft.row.status, unsettled: draft.row.unsettled },
    changes: draft.done(),
  };
}
