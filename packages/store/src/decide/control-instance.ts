import { isFinal } from "../lifecycle/transition.ts";
import type { ControlInstance, ControlInstanceResult } from "../operations/signals.ts";
import type { Decision } from "./changes.ts";
import { Draft } from "./draft.ts";
import { seenBy, unknownInstance } from "./guard.ts";
import { request } from "./request.ts";
import type { InstanceRow } from "./row.ts";

const encoder = new TextEncoder();

export function decideControlInstance(
  operation: ControlInstance,
  found: InstanceRow | undefined,
): Decision<ControlInstanceResult> {
  const row = seenBy(operation, found);
  if (row === undefined) return { result: unknownInstance, changes: undefined };
  const draft = new Draft(row, operation.nowMs);
  if (!isFinal(row.status)) order(operation, draft);
  const { status, unsettled } = draft.row;
  return { result: { outcome: "done", status, unsettled }, changes: draft.done() };
}

function order({ order: kind, text }: ControlInstance, draft: Draft): void {
  const words = text ?? null;
  const payload = words === null ? null : encoder.encode(words);
  if (kind === "kill") draft.happen("kill", { text: words, notePayload: payload });
  else request({ type: kind, payload }, words, draft);
}
