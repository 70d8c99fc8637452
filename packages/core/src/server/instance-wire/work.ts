import type { instance } from "@runtara/protocol";
import type { ClaimRequest, ClaimResponse, ReleaseRequest, RenewResponse } from "../../work/index.ts";
import { instanceFeatures } from "../capabilities.ts";
import { type ServerFacts, startFactsMessage } from "../messages.ts";
import { whole } from "../words.ts";

export function claimRequest(request: instance.ClaimWorkRequest): ClaimRequest {
  const { workerId, tenantId, workflows, capacity, leaseMs, waitMs, received } = request;
  return {
    workerId,
    tenantId,
    offers: workflows.map(({ name, version, acceptedVersions }) => ({
      name,
      versions: version === undefined ? acceptedVersions : [version, ...acceptedVersions],
    })),
    capacity,
    leaseMs,
    waitMs,
    received: whole(received),
  };
}

export function claimMessage(
  { sequence, work, leaseUntilMs }: ClaimResponse,
  server: ServerFacts,
): instance.ClaimWorkResponse {
  return {
    $typeName: "runtara.instance.ClaimWorkResponse",
    work: work.map(({ instanceId, tenantId, facts }) => ({
      $typeName: "runtara.instance.ClaimedWork",
      instanceId,
      tenantId,
      start: startFactsMessage(instanceId, facts, server),
      leaseUntilMs: BigInt(leaseUntilMs),
    })),
    features: [...instanceFeatures],
    sequence: BigInt(sequence),
  };
}

export function renewMessage({ leaseUntilMs, serverTimeMs, lost }: RenewResponse): instance.RenewLeaseResponse {
  return {
    $typeName: "runtara.instance.RenewLeaseResponse",
    leaseUntilMs: BigInt(leaseUntilMs),
    serverTimeMs: BigInt(serverTimeMs),
    lostInstanceIds: [...lost],
  };
}

export function releaseRequest({ workerId, work }: instance.ReleaseWorkRequest): ReleaseRequest {
  return {
    workerId,
    work: work.map(({ instanceId, epoch, handBack, delayMs, reason }) => ({
      instanceId,
      epoch: whole(epoch),
      handBack,
      delayMs,
      reason,
    })),
  };
}

export const releaseMessage: instance.ReleaseWorkResponse = { $typeName: "runtara.instance.ReleaseWorkResponse" };
