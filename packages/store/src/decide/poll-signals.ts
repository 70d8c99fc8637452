import type { PollSignals, PollSignalsResult } from "../operations/signals.ts";
import type { Decision } from "./changes.ts";
import { takeCustomSignal } from "./custom-signal.ts";
import { Draft } from "./draft.ts";
import type { CustomSignalFacts } from "./facts.ts";
import { fencedBy, unknownInstance } from "./guard.ts";
import type { InstanceRow } from "./row.ts";
import { pendingSignal } from "./start-facts.ts";

export function decidePollSignals(
  operation: PollSignals,
  row: InstanceRow | undefined,
  facts: CustomSignalFacts,
): Decision<PollSignalsResult> {
  if (row === undefined) return { result: unknownInstance, changes: undefined };
  const fenced = fencedBy(operation, row);
  if (fenced !== undefined) return { result: fenced, changes: undefined };
  const { checkpointId, nowMs } = operation;
  const signal = pendingSignal(row, facts);
  const taking = checkpointId === undefined ? undefined : takeCustomSignal(checkpointId, row, facts);
  if (taking === undefined) return { result: { outcome: "polled", signal, custom: undefined }, changes: undefined };
  const draft = new Draft(row, nowMs);
  draft.touch();
  draft.take([taking.taken]);
  return { result: { outcome: "polled", signal, custom: taking.custom }, changes: draft.done() };
}
