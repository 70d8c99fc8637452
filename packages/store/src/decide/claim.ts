import type { ClaimWork, ClaimWorkResult } from "../operations/work.ts";
import type { Decision } from "./changes.ts";
import { Draft } from "./draft.ts";
import type { ClaimFacts } from "./facts.ts";
import type { InstanceRow } from "./row.ts";
import { startFacts } from "./start-facts.ts";

export type ClaimedWork = ClaimWorkResult["work"][number];

/**
 * Judges one row that a claim has found: undefined = this claim does not get it. What an unconfirmed answer has already brought to the
 * worker is given again without a change; an engine that has such rows asks for those only.
 */
export function decideClaim(
  operation: ClaimWork,
  row: InstanceRow,
  facts: ClaimFacts,
): Decision<ClaimedWork | undefined> {
  if (row.tenantId !== operation.tenantId) return { result: undefined, changes: undefined };
  if (isUnconfirmed(operation, row)) return { result: workOf(row, facts), changes: undefined };
  if (!isAvailable(operation, row, facts)) return { result: undefined, changes: undefined };
  const draft = new Draft(row, operation.nowMs);
  const happened = draft.happen("claim", {
    start: {
      holder: operation.workerId,
      claimSequence: facts.sequence,
      checkpointId: null,
      seed: null,
      staleAfterMs: 0,
    },
  });
  if (happened !== "accepted") return { result: undefined, changes: undefined };
  draft.add({ lossForgottenBy: operation.workerId, leaseUntilMs: operation.nowMs + operation.leaseMs });
  draft.tell("lease");
  return { result: workOf(draft.row, facts), changes: draft.done() };
}

function isUnconfirmed({ workerId, received }: ClaimWork, row: InstanceRow): boolean {
  return row.status === "running" && row.holder === workerId && (row.claimSequence ?? 0) > received;
}

/** Its time has come, or whoever runs it has let its lease end. */
function isAvailable({ nowMs }: ClaimWork, row: InstanceRow, { holderLeaseUntilMs }: ClaimFacts): boolean {
  if (row.status === "running") return row.holder !== null && (holderLeaseUntilMs ?? 0) <= nowMs;
  return row.readyAtMs !== null && row.readyAtMs <= nowMs;
}

function workOf(row: InstanceRow, facts: ClaimFacts): ClaimedWork {
  return { instanceId: row.instanceId, tenantId: row.tenantId, facts: startFacts(row, facts) };
}
