import type { Publish, PublishResult } from "../operations/checkpoints.ts";
import type { Decision } from "./changes.ts";
import { Draft } from "./draft.ts";
import type { PublishFacts } from "./facts.ts";
import { refusalOf, unknownInstance } from "./guard.ts";
import { sendMessages } from "./messages.ts";
import type { InstanceRow } from "./row.ts";

export function decidePublish(
  operation: Publish,
  row: InstanceRow | undefined,
  facts: PublishFacts,
): Decision<PublishResult> {
  if (row === undefined) return { result: unknownInstance, changes: undefined };
  const refusal = refusalOf(operation, row);
  if (refusal !== undefined) return { result: refusal, changes: undefined };
  if (operation.run > row.run) return { result: { outcome: "runMismatch", run: row.run }, changes: undefined };
  const draft = new Draft(row, operation.nowMs);
  draft.touch();
  // Those of a run that is over have gone out with the batch that ended it.
  if (operation.run === row.run) sendMessages(operation.messages, facts, draft);
  return { result: { outcome: "published", lastNumber: draft.row.lastMessage }, changes: draft.done() };
}
