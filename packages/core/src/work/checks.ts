import type { WorkflowOffer } from "@runtara/store";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import {
  invalidCount,
  invalidId,
  invalidTags,
  invalidText,
  invalidTime,
  isStorableId,
  unstorableId,
} from "../validation.ts";
import type { ClaimRequest, ReleaseRequest, RenewRequest, StartRequest } from "./requests.ts";

// Each says what is wrong with a request, or undefined. What is wrong changes nothing.

export function invalidStart(request: StartRequest): CoreError | undefined {
  const { instanceId, tenantId, workflow, version, tags, startAtMs, timeoutMs } = request;
  return (
    invalidId("instance_id", instanceId) ??
    invalidId("tenant_id", tenantId) ??
    (workflow === undefined ? undefined : invalidId("workflow", workflow)) ??
    invalidVersion(version) ??
    invalidTags(tags) ??
    invalidTime("start_at_ms", startAtMs) ??
    invalidTime("timeout_ms", timeoutMs) ??
    invalidParent(request)
  );
}

export function invalidClaim({ workerId, tenantId, offers, leaseMs }: ClaimRequest): CoreError | undefined {
  return (
    invalidId("worker_id", workerId) ??
    invalidId("tenant_id", tenantId) ??
    invalidCount("workflows", offers.length, limits.offersMax) ??
    firstOf(offers, invalidOffer) ??
    invalidLease(leaseMs)
  );
}

export function invalidRenewal({ workerId, leaseMs }: RenewRequest): CoreError | undefined {
  return invalidId("worker_id", workerId) ?? invalidLease(leaseMs);
}

export function invalidRelease({ workerId, work }: ReleaseRequest): CoreError | undefined {
  return (
    invalidId("worker_id", workerId) ??
    invalidCount("work", work.length, limits.releasedMax) ??
    firstOf(
      work,
      ({ instanceId, reason, delayMs }) =>
        invalidId("instance_id", instanceId) ?? invalidText("reason", reason) ?? invalidTime("delay_ms", delayMs),
    )
  );
}

function invalidOffer({ name, versions }: WorkflowOffer): CoreError | undefined {
  return (
    invalidId("workflow", name) ??
    invalidCount("accepted_versions", versions.length, limits.versionsMax) ??
    firstOf(versions, invalidVersion)
  );
}

function invalidVersion(version: string | undefined): CoreError | undefined {
  if (version === undefined) return undefined;
  if (version === "") return CoreError.validation("version", "version must not be empty; leave it out instead");
  return isStorableId(version) ? undefined : unstorableId("version", version);
}

function invalidParent({ instanceId, parent }: StartRequest): CoreError | undefined {
  if (parent === undefined) return undefined;
  if (parent.instanceId === instanceId)
    return CoreError.validation("instance_id", "an instance cannot be its own child");
  const { resultSignal } = parent;
  return (
    invalidId("parent instance_id", parent.instanceId) ??
    (resultSignal === undefined ? undefined : invalidId("result_signal", resultSignal))
  );
}

function invalidLease(leaseMs: number): CoreError | undefined {
  if (leaseMs === 0 || (leaseMs >= limits.leaseMsMin && leaseMs <= limits.leaseMsMax)) return undefined;
  const range = `lease_ms must be 0 (the default) or ${limits.leaseMsMin} to ${limits.leaseMsMax}, got ${leaseMs}`;
  return CoreError.validation("lease_ms", range);
}

function firstOf<Item>(items: readonly Item[], check: (item: Item) => CoreError | undefined): CoreError | undefined {
  for (const item of items) {
    const invalid = check(item);
    if (invalid !== undefined) return invalid;
  }
  return undefined;
}
