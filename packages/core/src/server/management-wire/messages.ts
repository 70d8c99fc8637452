import { create, management } from "@runtara/protocol";
import type { HistoryEntry, Instance, InstanceDetails, PublishedValue } from "@runtara/store";
import { limits } from "../../limits.ts";
import type { Change } from "../../management/index.ts";
import { statusNumbers } from "../words.ts";
import { present } from "./words.ts";

// Plain values of management as messages of the wire.

function time(timeMs: number | null | undefined): bigint | undefined {
  return timeMs === null || timeMs === undefined ? undefined : BigInt(timeMs);
}

/** As GetInstanceStatus of the instance protocol (spec 2.8), and the details. */
export function statusMessage(
  instanceId: string,
  instance: Instance | undefined,
): management.GetInstanceStatusResponse {
  if (instance === undefined) return create(management.GetInstanceStatusResponseSchema, { instanceId });
  const { checkpointId, output, error } = instance;
  return create(management.GetInstanceStatusResponseSchema, {
    instanceId,
    status: statusNumbers[instance.status],
    startedAtMs: BigInt(instance.startedAtMs ?? 0),
    ...present({ checkpointId, output, error, finishedAtMs: time(instance.finishedAtMs) }),
    details: detailsMessage(instance),
    ...present({ start: startMessage(instance) }),
  });
}

function startMessage({ start, firstStartedAtMs }: Instance): management.InstanceStart | undefined {
  if (start === undefined) return undefined;
  const { input, seed } = start;
  return create(management.InstanceStartSchema, {
    seed: seed ?? new Uint8Array(),
    ...present({ input, firstStartedAtMs: time(firstStartedAtMs) }),
  });
}

export function summaryMessage(details: InstanceDetails): management.InstanceSummary {
  const { instanceId, tenantId, status, createdAtMs } = details;
  const fields = { instanceId, tenantId, status: statusNumbers[status], createdAtMs: BigInt(createdAtMs) };
  return create(management.InstanceSummarySchema, fields);
}

export function detailsMessage(details: InstanceDetails): management.InstanceDetails {
  const { instanceId, tenantId, reason, workflow, version, parentInstanceId } = details;
  return create(management.InstanceDetailsSchema, {
    instanceId,
    tenantId,
    status: statusNumbers[details.status],
    tags: { ...details.tags },
    createdAtMs: BigInt(details.createdAtMs),
    waitingFor: details.waitingFor.slice(0, limits.waitingForShownMax),
    run: details.run,
    ...present({
      reason,
      workflow,
      version,
      parentInstanceId,
      reasonText: details.reasonText?.slice(0, limits.reasonCharactersShownMax),
      startedAtMs: time(details.startedAtMs),
      finishedAtMs: time(details.finishedAtMs),
      wakeAtMs: time(details.readyAtMs),
    }),
  });
}

export function resultMessage(instance: Instance): management.WaitResultResponse {
  const { output, error, failure } = instance;
  return create(management.WaitResultResponseSchema, {
    status: statusNumbers[instance.status],
    ...present({ output, error, failure, finishedAtMs: time(instance.finishedAtMs) }),
  });
}

export function publishedMessage({ key, value, updatedAtMs }: PublishedValue): management.PublishedValue {
  return create(management.PublishedValueSchema, { key, value, updatedAtMs: BigInt(updatedAtMs) });
}

export function changeMessage(change: Change): management.InstanceChange {
  return create(management.InstanceChangeSchema, { atMs: BigInt(change.atMs), what: whatOf(change) });
}

function whatOf(change: Change): management.InstanceChange["what"] {
  switch (change.kind) {
    case "history":
      return { case: "history", value: historyMessage(change.entry) };
    case "published":
      return { case: "published", value: publishedMessage(change.value) };
    case "details":
      return { case: "details", value: detailsMessage(change.details) };
  }
}

export function historyMessage(entry: HistoryEntry): management.HistoryEntry {
  return create(management.HistoryEntrySchema, { atMs: BigInt(entry.atMs), what: entryOf(entry) });
}

function entryOf(entry: HistoryEntry): management.HistoryEntry["what"] {
  switch (entry.kind) {
    case "checkpoint": {
      const { checkpointId, state, stateBytes } = entry;
      const fields = { checkpointId, stateBytes: BigInt(stateBytes), ...present({ state }) };
      return { case: "checkpoint", value: create(management.HistoryCheckpointSchema, fields) };
    }
    case "event": {
      const { type: eventType, subtype, checkpointId, payload } = entry;
      const fields = { eventType, ...present({ subtype, checkpointId, payload }) };
      return { case: "event", value: create(management.HistoryEventSchema, fields) };
    }
    case "retry": {
      const { checkpointId, attempt, nextAtMs, error: errorMessage } = entry;
      const fields = {
        checkpointId,
        attemptNumber: attempt >>> 0,
        ...present({ nextAtMs: time(nextAtMs), errorMessage }),
      };
      return { case: "retry", value: create(management.HistoryRetrySchema, fields) };
    }
    case "signal": {
      const { type: signalType, name, payload, delivered } = entry;
      const fields = { delivered, ...present({ signalType, name, payload }) };
      return { case: "signal", value: create(management.HistorySignalSchema, fields) };
    }
  }
}
