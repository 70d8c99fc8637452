import type { RegisterInstance, RegisterInstanceResult } from "../operations/registration.ts";
import type { Decision } from "./changes.ts";
import { Draft } from "./draft.ts";
import type { RegisterInstanceFacts } from "./facts.ts";
import { newRow } from "./new-row.ts";
import type { InstanceRow } from "./row.ts";
import { startFacts } from "./start-facts.ts";

export function decideRegisterInstance(
  operation: RegisterInstance,
  row: InstanceRow | undefined,
  facts: RegisterInstanceFacts,
): Decision<RegisterInstanceResult> {
  const { instanceId, tenantId, checkpointId, nowMs, seed, staleAfterMs } = operation;
  if (checkpointId !== undefined && (row === undefined || !facts.checkpointExists)) {
    return { result: { outcome: "checkpointMissing" }, changes: undefined };
  }
  if (operation.checkTenant && row !== undefined && row.tenantId !== tenantId) {
    return { result: { outcome: "otherTenant" }, changes: undefined };
  }
  const draft = new Draft(row ?? newRow({ instanceId, tenantId, seed, createdAtMs: nowMs }), nowMs);
  if (row === undefined) draft.add({ insert: { input: null, tags: {} } });
  const start = { holder: null, claimSequence: null, checkpointId: checkpointId ?? null, seed, staleAfterMs };
  if (draft.happen("register", { start }) === "refused") {
    return { result: { outcome: "refused", status: draft.row.status }, changes: undefined };
  }
  return {
    result: { outcome: "registered", created: row === undefined, facts: startFacts(draft.row, facts) },
    changes: draft.done(),
  };
}
