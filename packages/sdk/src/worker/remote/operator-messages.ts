import type { management } from "@runtara/protocol";
import type { Status } from "../../api/client.ts";
import type { Details, HistoryItem, PublishedValue, ScheduleRecord, WatchedChange } from "../../ports/operator.ts";
import { SourceError } from "../../ports/source-error.ts";
import { statusWord } from "../../wire/words.ts";

// Messages of the management protocol as the plain values of the ports.

function time(timeMs: bigint): number;
function time(timeMs: bigint | undefined): number | null;
function time(timeMs: bigint | undefined): number | null {
  return timeMs === undefined ? null : Number(timeMs);
}

/** @throws SourceError UNKNOWN for an instance that does not exist, and for a status of a newer server */
export function statusOf(instanceId: string, number: number): Status {
  const status = statusWord(number);
  if (status !== "unknown") return status;
  throw new SourceError("UNKNOWN", `there is no instance ${instanceId}`);
}

export function detailsOf(details: management.InstanceDetails): Details {
  const { instanceId, reason, workflow, version, tags, waitingFor, run } = details;
  return {
    instanceId,
    status: statusOf(instanceId, details.status),
    reason: reason ?? null,
    workflow: workflow ?? null,
    version: version ?? null,
    tags,
    createdAtMs: time(details.createdAtMs),
    startedAtMs: time(details.startedAtMs),
    finishedAtMs: time(details.finishedAtMs),
    readyAtMs: time(details.wakeAtMs),
    waitingFor,
    run,
  };
}

/** Undefined for what a newer server tells beside what is known here. */
export function historyItem({ atMs, what }: management.HistoryEntry): HistoryItem | undefined {
  const at = { atMs: time(atMs) };
  switch (what.case) {
    case "checkpoint": {
      const { checkpointId, state, stateBytes } = what.value;
      return { ...at, kind: "checkpoint", checkpointId, state, stateBytes: Number(stateBytes) };
    }
    case "event": {
      const { eventType: type, subtype = null, checkpointId = null, payload } = what.value;
      return { ...at, kind: "event", type, subtype, checkpointId, payload };
    }
    case "retry": {
      const { checkpointId, attemptNumber: attempt, nextAtMs, errorMessage: error = null } = what.value;
      return { ...at, kind: "retry", checkpointId, attempt, nextAtMs: time(nextAtMs), error };
    }
    case "signal": {
      const { signalType: type = null, name = null, payload, delivered } = what.value;
      return { ...at, kind: "signal", type, name, payload, delivered };
    }
    default:
      return undefined;
  }
}

export function publishedValue({ key, value, updatedAtMs }: management.PublishedValue): PublishedValue {
  return { key, value, updatedAtMs: time(updatedAtMs) };
}

export function watchedChange({ atMs, what }: management.InstanceChange): WatchedChange | undefined {
  const at = { atMs: time(atMs) };
  switch (what.case) {
    case "details":
      return { ...at, kind: "details", details: detailsOf(what.value) };
    case "published":
      return { ...at, kind: "published", value: publishedValue(what.value) };
    case "history": {
      const entry = historyItem(what.value);
      return entry && { ...at, kind: "history", entry };
    }
    default:
      return undefined;
  }
}

export function scheduleRecord(schedule: management.Schedule): ScheduleRecord {
  const { scheduleId, workflow, input, cron, timezone, overlap, catchUp, inactive } = schedule;
  return {
    scheduleId,
    workflow,
    input: input ?? null,
    cron,
    timezone: timezone === "" ? "UTC" : timezone,
    overlap: oneOf(["skip", "queue", "all"], overlap),
    catchUp: oneOf(["none", "last", "all"], catchUp),
    inactive,
  };
}

/** The first where nothing is said, or something that a newer server knows. */
function oneOf<const Word extends string>(words: readonly [Word, ...Word[]], word: string): Word {
  return words.find((known) => known === word) ?? words[0];
}
