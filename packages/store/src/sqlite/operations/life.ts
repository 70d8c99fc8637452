import {
  type BeginSleepFacts,
  decideAppendEvent,
  decideBeginSleep,
  decideEndSleep,
  decideSuspendUntil,
} from "../../decide/index.ts";
import type {
  AppendEvent,
  AppendEventResult,
  BeginSleep,
  BeginSleepResult,
  EndSleep,
  EndSleepResult,
  SuspendUntil,
  SuspendUntilResult,
} from "../../operations/index.ts";
import type { Entry } from "../instance-rows.ts";
import type { Context } from "./context.ts";
import type { SignalReader } from "./signal-facts.ts";

export function prepareAppendEvent(context: Context): (operation: AppendEvent) => AppendEventResult {
  return (operation) => {
    const { result, changes } = decideAppendEvent(operation, context.rows.get(operation.instanceId)?.row);
    context.write(operation.instanceId, changes);
    return result;
  };
}

export function prepareSuspendUntil(
  context: Context,
  signals: SignalReader,
): (operation: SuspendUntil) => SuspendUntilResult {
  const nextRetryAtMs = prepareNextRetry(context);
  return (operation) => {
    const { instanceId, names, afterSignalId, bytesMax, nowMs } = operation;
    const entry = context.rows.get(instanceId);
    const queued = entry === undefined ? [] : signals.queued(entry, names, afterSignalId, bytesMax).queued;
    const facts = { ...signals.pending(entry), queued, nextRetryAtMs: nextRetryAtMs(entry, nowMs) };
    const { result, changes } = decideSuspendUntil(operation, entry?.row, facts);
    context.write(instanceId, changes);
    return result;
  };
}

/** The earliest time ahead of a retry whose checkpoint does not exist. */
function prepareNextRetry({
  connection,
  checkpoints,
}: Context): (entry: Entry | undefined, nowMs: number) => number | undefined {
  const ahead = connection.prepare(
    "SELECT next_at, checkpoint_id FROM retry_attempts WHERE instance_key = ? AND next_at > ? ORDER BY next_at",
  );
  return (entry, nowMs) => {
    if (entry === undefined) return undefined;
    const retries = ahead.all<[number, string]>(entry.key, nowMs);
    return retries.find(([, checkpointId]) => checkpoints.find(entry.key, checkpointId) === undefined)?.[0];
  };
}

type SleepColumns = readonly [ordinal: number, finished: number, wakeAtMs: number];

export function prepareBeginSleep(context: Context): (operation: BeginSleep) => BeginSleepResult {
  // The last ordinal of this id that this registration has slept.
  const latestOf = context.connection.prepare(
    `SELECT ordinal, finished, wake_at FROM sleeps WHERE instance_key = ? AND checkpoint_id = ? AND epoch = ?
     ORDER BY ordinal DESC LIMIT 1`,
  );
  const recordAt = context.connection.prepare(
    "SELECT wake_at FROM sleeps WHERE instance_key = ? AND checkpoint_id = ? AND ordinal = ?",
  );
  const factsOf = (entry: Entry | undefined, checkpointId: string): BeginSleepFacts => {
    if (entry === undefined) return { latest: undefined, earlier: undefined };
    const found = latestOf.get<SleepColumns>(entry.key, checkpointId, entry.row.epoch);
    const earlier = recordAt.get<[number]>(entry.key, checkpointId, (found?.[0] ?? 0) + 1);
    return {
      latest: found && { ordinal: found[0], finished: found[1] !== 0, wakeAtMs: found[2] },
      earlier: earlier && { wakeAtMs: earlier[0] },
    };
  };
  return (operation) => {
    const { instanceId, checkpointId } = operation;
    const entry = context.rows.get(instanceId);
    const { result, changes } = decideBeginSleep(operation, entry?.row, factsOf(entry, checkpointId));
    context.write(instanceId, changes);
    return result;
  };
}

export function prepareEndSleep(context: Context): (operation: EndSleep) => EndSleepResult {
  const select = context.connection.prepare(
    "SELECT epoch, finished, wake_at FROM sleeps WHERE instance_key = ? AND checkpoint_id = ? AND ordinal = ?",
  );
  return (operation) => {
    const { instanceId, checkpointId, ordinal } = operation;
    const entry = context.rows.get(instanceId);
    const found = entry && select.get<[number, number, number]>(entry.key, checkpointId, ordinal);
    const record = found && { epoch: found[0], finished: found[1] !== 0, wakeAtMs: found[2] };
    const { result, changes } = decideEndSleep(operation, entry?.row, { record });
    context.write(instanceId, changes);
    return result;
  };
}
