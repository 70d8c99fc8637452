import {
  type Decision,
  decidePublish,
  decideRecordRetry,
  decideSaveBatch,
  decideSaveCheckpoint,
  type PublishFacts,
  refusalOf,
  unknownInstance,
} from "../../decide/index.ts";
import { parseRetryId } from "../../engines/retry-id.ts";
import type {
  LoadCheckpoint,
  LoadCheckpointResult,
  Publish,
  PublishResult,
  RecordRetry,
  RecordRetryResult,
  SaveBatch,
  SaveBatchResult,
  SaveCheckpoint,
  SaveCheckpointResult,
} from "../../operations/index.ts";
import type { Entry } from "../instance-rows.ts";
import { type Context, emptyBytes } from "./context.ts";
import type { SignalReader } from "./signal-facts.ts";

const savedAlone: SaveCheckpointResult = { outcome: "saved", state: emptyBytes, signal: undefined, custom: undefined };

export function prepareSaveCheckpoint(
  context: Context,
  signals: SignalReader,
): (operation: SaveCheckpoint) => SaveCheckpointResult {
  const { rows, checkpoints, notices } = context;
  return (operation) => {
    const { instanceId, checkpointId } = operation;
    const entry = rows.get(instanceId);
    const at = entry === undefined ? undefined : checkpoints.find(entry.key, checkpointId);
    if (entry !== undefined && at === undefined && hasNoSignals(entry)) {
      const refusal = refusalOf(operation, entry.row);
      if (refusal !== undefined) return refusal;
      checkpoints.append(entry.key, checkpointId, operation.state, operation.nowMs);
      rows.saved(entry, checkpointId, operation.nowMs);
      notices.changed(instanceId);
      return savedAlone;
    }
    const stored = at === undefined ? undefined : checkpoints.read(at).state;
    const facts = { ...signals.custom(entry, checkpointId), stored };
    const { result, changes } = decideSaveCheckpoint(operation, entry?.row, facts);
    context.write(instanceId, changes);
    return result;
  };
}

/** Then a new checkpoint is a row of the log and nothing else: what decideSaveCheckpoint would say, without its copies. */
function hasNoSignals({ row, slots }: Entry): boolean {
  return row.pendingSignal === null && row.queuedSignals === 0 && slots === 0;
}

export function prepareSaveBatch(context: Context, signals: SignalReader): (operation: SaveBatch) => SaveBatchResult {
  const { rows, checkpoints } = context;
  const publishFacts = preparePublishFacts(context);
  const saveAlone = prepareSaveAlone(context);
  return (operation) => {
    const { instanceId, entries, messages } = operation;
    const entry = rows.get(instanceId);
    if (entry !== undefined && isOnlyEntries(operation, entry)) {
      const result = saveAlone(operation, entry);
      if (result !== undefined) return result;
    }
    const stored = entries.map(({ checkpointId }) => {
      const at = entry === undefined ? undefined : checkpoints.find(entry.key, checkpointId);
      return at === undefined ? undefined : checkpoints.read(at).state;
    });
    const consumed = entries.flatMap(({ consumesSignalId }) => consumesSignalId ?? []);
    const facts = {
      ...signals.pending(entry),
      ...publishFacts(entry, messages),
      stored,
      waiting: entry === undefined ? [] : signals.waiting(entry, consumed),
    };
    const { result, changes } = decideSaveBatch(operation, entry?.row, facts);
    context.write(instanceId, changes);
    return result;
  };
}

/** Whether the batch has nothing but entries to write, and nothing to tell but that they are saved. */
function isOnlyEntries({ entries, messages, beginsRun }: SaveBatch, { row }: Entry): boolean {
  if (row.pendingSignal !== null || beginsRun !== undefined || messages.length > 0) return false;
  for (const { consumesSignalId } of entries) if (consumesSignalId !== undefined) return false;
  return entries.length > 0;
}

const savedEntry: { readonly state: Uint8Array | undefined } = { state: undefined };
const savedOne: SaveBatchResult = { outcome: "saved", entries: [savedEntry], signal: undefined };

/** Rows of the log and nothing else: what decideSaveBatch would say, without its copies. Undefined where an entry is stored already. */
function prepareSaveAlone({
  rows,
  checkpoints,
  notices,
}: Context): (operation: SaveBatch, entry: Entry) => SaveBatchResult | undefined {
  return (operation, entry) => {
    const { instanceId, entries, nowMs } = operation;
    for (const { checkpointId } of entries) {
      if (checkpoints.find(entry.key, checkpointId) !== undefined) return undefined;
    }
    const refusal = refusalOf(operation, entry.row);
    if (refusal !== undefined) return refusal;
    for (const { checkpointId, state } of entries) {
      checkpoints.append(entry.key, checkpointId, state, nowMs);
      rows.saved(entry, checkpointId, nowMs);
    }
    notices.changed(instanceId);
    return entries.length === 1
      ? savedOne
      : { outcome: "saved", entries: entries.map(() => savedEntry), signal: undefined };
  };
}

export function preparePublish(context: Context): (operation: Publish) => PublishResult {
  const publishFacts = preparePublishFacts(context);
  return (operation) => {
    const { instanceId, messages } = operation;
    const entry = context.rows.get(instanceId);
    const { result, changes } = decidePublish(operation, entry?.row, publishFacts(entry, messages));
    context.write(instanceId, changes);
    return result;
  };
}

const nothingPublished: PublishFacts = { publishedKeys: 0, knownKeys: [] };

function preparePublishFacts({
  connection,
}: Context): (entry: Entry | undefined, messages: Publish["messages"]) => PublishFacts {
  const count = connection.prepare("SELECT count(*) FROM published_values WHERE instance_key = ?");
  const has = connection.prepare("SELECT 1 FROM published_values WHERE instance_key = ? AND key = ?");
  return (entry, messages) => {
    const keys = messages.flatMap(({ content }) => (content.kind === "published" ? [content.key] : []));
    if (entry === undefined || keys.length === 0) return nothingPublished;
    return {
      publishedKeys: count.get<[number]>(entry.key)?.[0] ?? 0,
      knownKeys: [...new Set(keys)].filter((key) => has.get(entry.key, key) !== undefined),
    };
  };
}

/** Reads a checkpoint or, failing that, a retry record; undefined where there is neither. */
export type Load = (
  key: number,
  checkpointId: string,
) => { readonly state: Uint8Array; readonly createdAtMs: number } | undefined;

export function prepareLoad({ connection, checkpoints }: Context): Load {
  const retry = connection.prepare(
    "SELECT created_at FROM retry_attempts WHERE instance_key = ? AND checkpoint_id = ? AND attempt = ?",
  );
  return (key, checkpointId) => {
    const at = checkpoints.find(key, checkpointId);
    if (at !== undefined) return checkpoints.read(at);
    const id = parseRetryId(checkpointId);
    const found = id === undefined ? undefined : retry.get<[number]>(key, id.base, id.attempt);
    return found === undefined ? undefined : { state: emptyBytes, createdAtMs: found[0] };
  };
}

export function prepareLoadCheckpoint(
  context: Context,
  load: Load,
): (operation: LoadCheckpoint) => LoadCheckpointResult {
  return (operation) => {
    const entry = context.seen(operation);
    if (entry === undefined) return unknownInstance;
    const found = load(entry.key, operation.checkpointId);
    return found === undefined ? { outcome: "missing" } : { outcome: "found", ...found };
  };
}

export function prepareRecordRetry(context: Context): (operation: RecordRetry) => RecordRetryResult {
  const { rows, checkpoints } = context;
  return (operation) => {
    const { instanceId, checkpointId } = operation;
    const entry = rows.get(instanceId);
    const checkpointExists = entry !== undefined && checkpoints.find(entry.key, checkpointId) !== undefined;
    const { result, changes }: Decision<RecordRetryResult> = decideRecordRetry(operation, entry?.row, {
      checkpointExists,
    });
    context.write(instanceId, changes);
    return result;
  };
}
