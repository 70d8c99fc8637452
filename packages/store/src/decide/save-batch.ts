import type { SaveBatch, SaveBatchResult } from "../operations/checkpoints.ts";
import type { Decision, TakenSignal } from "./changes.ts";
import { Draft } from "./draft.ts";
import type { SaveBatchFacts } from "./facts.ts";
import { refusalOf, unknownInstance } from "./guard.ts";
import { sendMessages } from "./messages.ts";
import type { InstanceRow } from "./row.ts";
import { pendingSignal } from "./start-facts.ts";

export function decideSaveBatch(
  operation: SaveBatch,
  row: InstanceRow | undefined,
  facts: SaveBatchFacts,
): Decision<SaveBatchResult> {
  if (row === undefined) return { result: unknownInstance, changes: undefined };
  const refusal = refusalOf(operation, row);
  if (refusal !== undefined) return { result: refusal, changes: undefined };
  const run = runStep(operation, row, facts);
  if (run === "mismatch") return { result: { outcome: "runMismatch", run: row.run }, changes: undefined };
  const draft = new Draft(row, operation.nowMs);
  const added = operation.entries.filter((_, index) => facts.stored[index] === undefined);
  if (added.length > 0) draft.save(added);
  draft.take(consumedBy(added, facts));
  if (run !== "begunBefore") sendMessages(operation.messages, facts, draft);
  if (run === "begins") {
    draft.row.run += 1;
    draft.row.lastMessage = 0;
  }
  return {
    result: {
      outcome: "saved",
      entries: operation.entries.map((_, index) => ({ state: facts.stored[index] })),
      signal: pendingSignal(row, facts),
    },
    changes: draft.done(),
  };
}

/** What the batch means for the run. A batch that is repeated after its first try began the run finds all that it saved. */
function runStep(
  { beginsRun, entries }: SaveBatch,
  { run }: InstanceRow,
  { stored }: SaveBatchFacts,
): "stays" | "begins" | "begunBefore" | "mismatch" {
  if (beginsRun === undefined) return "stays";
  if (beginsRun === run + 1) return "begins";
  const isRepeated = beginsRun === run && entries.every((_, index) => stored[index] !== undefined);
  return isRepeated ? "begunBefore" : "mismatch";
}

/** Signals that go with the entries that record them, each once; those that wait no longer are passed over. */
function consumedBy(added: SaveBatch["entries"], { waiting }: SaveBatchFacts): readonly TakenSignal[] {
  const consumed = new Set(added.map((entry) => entry.consumesSignalId));
  return waiting.filter(({ signalId }) => consumed.has(signalId));
}
