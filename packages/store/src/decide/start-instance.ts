import type { StartInstance, StartInstanceResult } from "../operations/registration.ts";
import type { Changes, WideDecision } from "./changes.ts";
import { Draft } from "./draft.ts";
import type { StartInstanceFacts } from "./facts.ts";
import { refusalOf } from "./guard.ts";
import { newRow } from "./new-row.ts";
import type { InstanceRow } from "./row.ts";
import { sameBytes } from "./same-bytes.ts";

type Refusal = Extract<StartInstanceResult, { outcome: "parentUnknown" | "parentRefused" | "fenced" }>;
type Difference = Extract<StartInstanceResult, { outcome: "conflict" }>["differs"][number];

export function decideStartInstance(
  operation: StartInstance,
  row: InstanceRow | undefined,
  facts: StartInstanceFacts,
): WideDecision<StartInstanceResult> {
  const refusal = parentRefusal(operation, facts.parent);
  if (refusal !== undefined) return unchanged(refusal);
  if (facts.parent !== undefined && facts.parent.tenantId !== operation.tenantId) {
    return unchanged({ outcome: "conflict", differs: ["tenant"] });
  }
  if (row !== undefined) return unchanged(attach(operation, row, facts.input));
  const { instanceId, tenantId, seed, workflow, version, timeoutMs, parent, nowMs } = operation;
  const draft = new Draft(
    newRow({ instanceId, tenantId, seed, createdAtMs: nowMs, workflow, version, timeoutMs, parent }),
    nowMs,
  );
  draft.row.readyAtMs = firstReadyAtMs(operation);
  draft.add({ insert: { input: operation.input ?? null, tags: operation.tags } });
  return {
    result: { outcome: "created", status: draft.row.status },
    changes: draft.done(),
    others: countChild(operation, facts.parent),
  };
}

function unchanged(result: StartInstanceResult): WideDecision<StartInstanceResult> {
  return { result, changes: undefined, others: [] };
}

/** Only a running instance starts children, and only the process that it belongs to. */
function parentRefusal({ parent }: StartInstance, row: InstanceRow | undefined): Refusal | undefined {
  if (parent === undefined) return undefined;
  if (row === undefined) return { outcome: "parentUnknown" };
  const refusal = refusalOf(parent, row);
  return refusal?.outcome === "refused" ? { outcome: "parentRefused", status: refusal.status } : refusal;
}

function attach(operation: StartInstance, row: InstanceRow, input: Uint8Array | null): StartInstanceResult {
  const differs: Difference[] = [];
  if (row.tenantId !== operation.tenantId) differs.push("tenant");
  if (row.workflow !== (operation.workflow ?? null)) differs.push("workflow");
  if (row.version !== (operation.version ?? null)) differs.push("version");
  if (!sameBytes(input, operation.input ?? null)) differs.push("input");
  if (operation.parent !== undefined && row.parentId !== operation.parent.instanceId) differs.push("parent");
  return differs.length === 0 ? { outcome: "attached", status: row.status } : { outcome: "conflict", differs };
}

/** Planned starts in the past do not overtake what has been waiting since. Without a workflow only a plan has a time. */
function firstReadyAtMs({ workflow, startAtMs, nowMs }: StartInstance): number | null {
  if (workflow === undefined) return startAtMs ?? null;
  return Math.max(startAtMs ?? nowMs, nowMs);
}

/** An attached child is cancelled with its parent, which therefore has to know that there is one. */
function countChild(
  { parent, nowMs }: StartInstance,
  row: InstanceRow | undefined,
): readonly { readonly instanceId: string; readonly changes: Changes }[] {
  if (parent === undefined || parent.detached || row === undefined) return [];
  const draft = new Draft(row, nowMs);
  draft.touch();
  draft.row.childCount += 1;
  const changes = draft.done();
  return changes === undefined ? [] : [{ instanceId: row.instanceId, changes }];
}
