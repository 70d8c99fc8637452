import type { InstanceState, InstanceSummary } from "../api/client.ts";
import { limits } from "../limits.ts";
import type { Details } from "../ports/operator.ts";

/** What `handle.status()` says. */
export function stateOf(details: Details, nowMs: number): InstanceState {
  const { status, version, readyAtMs, waitingFor, startedAtMs, finishedAtMs } = details;
  const isToRun = status === "pending" || status === "suspended";
  const isUnserved = isToRun && readyAtMs !== null && readyAtMs < nowMs - limits.unservedAfterMs;
  const reason = isUnserved ? "unserved" : details.reason;
  return {
    status,
    ...(reason === null ? {} : { reason }),
    ...(version === null ? {} : { version }),
    ...(isToRun && readyAtMs !== null ? { wakeAt: new Date(readyAtMs) } : {}),
    ...(waitingFor.length === 0 ? {} : { waitingFor }),
    ...(startedAtMs === null ? {} : { startedAt: new Date(startedAtMs) }),
    ...(finishedAtMs === null ? {} : { finishedAt: new Date(finishedAtMs) }),
  };
}

/** A row of `list()`. */
export function summaryOf(details: Details): InstanceSummary {
  const { instanceId, workflow, status, reason, version, tags, createdAtMs, startedAtMs, finishedAtMs } = details;
  return {
    id: instanceId,
    ...(workflow === null ? {} : { workflow }),
    status,
    ...(reason === null ? {} : { reason }),
    ...(version === null ? {} : { version }),
    tags,
    createdAt: new Date(createdAtMs),
    ...(startedAtMs === null ? {} : { startedAt: new Date(startedAtMs) }),
    ...(finishedAtMs === null ? {} : { finishedAt: new Date(finishedAtMs) }),
  };
}
