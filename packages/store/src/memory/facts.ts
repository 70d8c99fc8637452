import type * as facts from "../decide/facts.ts";
import { childMessageId } from "../decide/index.ts";
import { type Oldest, oldestSignals } from "../engines/arrivals.ts";
import { isFinal } from "../lifecycle/transition.ts";
import { limits } from "../limits.ts";
import type * as operations from "../operations/index.ts";
import type { MemoryDatabase } from "./database.ts";
import { compareTexts } from "./pages.ts";
import { type InstanceRecord, type SignalRecord, sleepId } from "./records.ts";

// What decisions want to know (see decide/facts.ts), read from the records. An unknown instance has no rows.

type Known = InstanceRecord | undefined;

function signalFacts(record: Known): facts.SignalFacts {
  return { signalPayload: fresh(record?.pending?.payload ?? null) };
}

export function customSignalFacts(record: Known, checkpointId: string | undefined): facts.CustomSignalFacts {
  if (record === undefined || checkpointId === undefined)
    return { ...signalFacts(record), slot: undefined, queued: undefined };
  const slotId = record.slots.get(checkpointId);
  return {
    ...signalFacts(record),
    slot: slotId === undefined ? undefined : record.waiting.get(slotId),
    queued: oldest(record, ({ kind, name }) => kind === "queued" && name === checkpointId),
  };
}

export function registerFacts(record: Known, operation: operations.RegisterInstance): facts.RegisterInstanceFacts {
  const { checkpointId } = operation;
  const has = (id: string) => record !== undefined && (record.checkpoints.has(id) || record.retries.has(id));
  return { ...lifeFacts(record), checkpointExists: checkpointId !== undefined && has(checkpointId) };
}

/** What somebody who begins a life is told beside the row. */
export function lifeFacts(record: Known): facts.SignalFacts & { retryCount: number; input: Uint8Array | null } {
  return { ...signalFacts(record), retryCount: record?.retries.size ?? 0, input: fresh(record?.input ?? null) };
}

export function saveCheckpointFacts(record: Known, operation: operations.SaveCheckpoint): facts.SaveCheckpointFacts {
  const stored = record?.checkpoints.get(operation.checkpointId)?.state.slice();
  return { ...customSignalFacts(record, operation.checkpointId), stored };
}

export function saveBatchFacts(record: Known, operation: operations.SaveBatch): facts.SaveBatchFacts {
  const { entries, messages } = operation;
  const consumed = entries.flatMap(({ consumesSignalId }) => consumesSignalId ?? []);
  return {
    ...signalFacts(record),
    ...publishFacts(record, messages),
    stored: entries.map(({ checkpointId }) => record?.checkpoints.get(checkpointId)?.state.slice()),
    waiting: consumed.flatMap((signalId) => {
      const signal = record?.waiting.get(signalId);
      return signal === undefined ? [] : [{ signalId, queued: signal.kind === "queued" }];
    }),
  };
}

export function publishFacts(record: Known, messages: operations.Publish["messages"]): facts.PublishFacts {
  const keys = messages.flatMap(({ content }) => (content.kind === "published" ? [content.key] : []));
  const knownKeys = [...new Set(keys)].filter((key) => record?.published.has(key));
  return { publishedKeys: record?.published.size ?? 0, knownKeys };
}

export function suspendFacts(record: Known, operation: operations.SuspendUntil): facts.SuspendUntilFacts {
  const { names, afterSignalId, bytesMax, nowMs } = operation;
  const retryTimes = [...(record?.retries.values() ?? [])].flatMap(({ checkpointId, nextAtMs }) =>
    nextAtMs !== null && nextAtMs > nowMs && !record?.checkpoints.has(checkpointId) ? [nextAtMs] : [],
  );
  return {
    ...signalFacts(record),
    queued: record === undefined ? [] : waitingFor(record, names, afterSignalId, bytesMax).queued,
    nextRetryAtMs: retryTimes.length === 0 ? undefined : retryTimes.reduce((a, b) => Math.min(a, b)),
  };
}

/** Signals of the names behind an id, as far as `bytesMax` and the limit reach. */
export function waitingFor(
  record: InstanceRecord,
  names: readonly string[],
  afterSignalId: number,
  bytesMax: number,
): Oldest {
  const wanted = new Set(names);
  const waiting = [...record.waiting.values()].flatMap(({ signalId, name, payload, createdAtMs }) =>
    signalId > afterSignalId && name !== null && wanted.has(name)
      ? [{ signalId, name, payload: payload ?? new Uint8Array(), createdAtMs }]
      : [],
  );
  const oldest = oldestSignals(waiting, bytesMax);
  return { ...oldest, queued: oldest.queued.map((signal) => ({ ...signal, payload: signal.payload.slice() })) };
}

export function beginSleepFacts(record: Known, { checkpointId }: operations.BeginSleep): facts.BeginSleepFacts {
  let latest: facts.BeginSleepFacts["latest"];
  for (const sleep of record?.sleeps.values() ?? []) {
    if (sleep.checkpointId !== checkpointId || sleep.epoch !== record?.row.epoch) continue;
    if (latest === undefined || sleep.ordinal > latest.ordinal) latest = sleep;
  }
  const next = record?.sleeps.get(sleepId(checkpointId, (latest?.ordinal ?? 0) + 1));
  return { latest, earlier: next };
}

export function endSleepFacts(record: Known, operation: operations.EndSleep): facts.EndSleepFacts {
  return { record: record?.sleeps.get(sleepId(operation.checkpointId, operation.ordinal)) };
}

export function customSendFacts(
  database: MemoryDatabase,
  record: Known,
  { messageId }: operations.SendCustomSignal,
): facts.SendCustomSignalFacts {
  const duplicateOf = messageId === undefined ? undefined : record?.messages.get(messageId);
  return { signalId: database.next(), duplicateOf };
}

export function settleFacts(database: MemoryDatabase, record: InstanceRecord): facts.SettleFacts {
  const { instanceId, parentId } = record.row;
  const parent = parentId === null ? undefined : database.instances.get(parentId);
  const children = database
    .records(database.children.get(instanceId) ?? [])
    .map(({ row }) => row)
    .filter((row) => !row.detached && !isFinal(row.status) && row.pendingSignal !== "cancel")
    .sort((a, b) => compareTexts(a.instanceId, b.instanceId));
  return {
    output: fresh(record.output),
    error: record.error,
    failure: fresh(record.failure),
    parent: parent?.row,
    told: parent?.messages.has(childMessageId(instanceId)) ?? false,
    signalId: database.next(),
    children: children.slice(0, limits.settleChildrenMax),
    moreChildren: children.length > limits.settleChildrenMax,
  };
}

/** A copy for the caller: what is kept is never changed. */
export function fresh(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : bytes.slice();
}

function oldest(record: InstanceRecord, fits: (signal: SignalRecord) => boolean): SignalRecord | undefined {
  for (const signal of record.waiting.values()) if (fits(signal)) return signal;
  return undefined;
}
