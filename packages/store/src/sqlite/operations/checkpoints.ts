import type { CustomSignal, PendingSignal } from "../../model.ts";
import type {
  LoadCheckpoint,
  LoadCheckpointResult,
  PollSignals,
  PollSignalsResult,
  RecordRetry,
  RecordRetryResult,
  SaveCheckpoint,
  SaveCheckpointResult,
} from "../../operations.ts";
import type { InstanceRow } from "../instance-rows.ts";
import { prepareArrays } from "../statements.ts";
import { type Context, emptyBytes, unknownInstance } from "./context.ts";

type Blob = Uint8Array | null;

/** Reads the state of a checkpoint or, failing that, of a retry record; undefined where there is neither. */
export type LoadState = (key: number, checkpointId: string) => Uint8Array | undefined;

export function prepareLoadState({ database, checkpoints }: Context): LoadState {
  const selectRetry = prepareArrays(
    database,
    "SELECT 1 FROM retry_attempts WHERE instance_key = ? AND checkpoint_id = ? AND attempt = ?",
  );
  return (key, checkpointId) => {
    const found = checkpoints.find(key, checkpointId);
    if (found !== undefined) return checkpoints.stateAt(found);
    const retry = parseRetryId(checkpointId);
    if (retry !== undefined && selectRetry.get(key, retry.base, retry.attempt) !== undefined) return emptyBytes;
    return undefined;
  };
}

/** `{base}::retry::{n}`, the id under which a retry record can be read (spec 4.5). */
function parseRetryId(checkpointId: string): { readonly base: string; readonly attempt: number } | undefined {
  const [, base, digits] = /^(.*)::retry::(0|-?[1-9]\d{0,9})$/s.exec(checkpointId) ?? [];
  return base === undefined || digits === undefined ? undefined : { base, attempt: Number(digits) };
}

export function prepareLoadCheckpoint(context: Context): (operation: LoadCheckpoint) => LoadCheckpointResult {
  const loadState = prepareLoadState(context);
  return ({ instanceId, checkpointId }) => {
    const row = context.rows.get(instanceId);
    if (row === undefined) return unknownInstance;
    const state = loadState(row.key, checkpointId);
    return state === undefined ? { outcome: "missing" } : { outcome: "found", state };
  };
}

/** Looks into the signal tables only where the instance's own row says that there is something. */
export interface SignalReader {
  pending(row: InstanceRow): PendingSignal | undefined;
  take(row: InstanceRow, checkpointId: string): CustomSignal | undefined;
}

export function prepareSignalReader({ database }: Context): SignalReader {
  const selectPayload = prepareArrays(database, "SELECT payload FROM pending_signals WHERE instance_key = ?");
  const takeCustom = prepareArrays(
    database,
    "DELETE FROM pending_checkpoint_signals WHERE instance_key = ? AND checkpoint_id = ? RETURNING payload",
  );
  const countDown = database.prepare(
    "UPDATE instances SET custom_signal_count = custom_signal_count - 1 WHERE instance_key = ?",
  );
  return {
    pending(row) {
      if (row.pendingSignal === null) return undefined;
      const found = selectPayload.get(row.key) as unknown as [Blob] | undefined;
      return { type: row.pendingSignal, payload: found?.[0] ?? emptyBytes };
    },
    take(row, checkpointId) {
      if (row.customSignals === 0) return undefined;
      const taken = takeCustom.get(row.key, checkpointId) as unknown as [Blob] | undefined;
      if (taken === undefined) return undefined;
      countDown.run(row.key);
      row.customSignals -= 1;
      return { checkpointId, payload: taken[0] ?? emptyBytes };
    },
  };
}

export function prepareSaveCheckpoint(
  { rows, checkpoints }: Context,
  signals: SignalReader,
): (operation: SaveCheckpoint) => SaveCheckpointResult {
  return ({ instanceId, checkpointId, state, allowedIn, nowMs }) => {
    const row = rows.get(instanceId);
    if (row === undefined) return unknownInstance;
    if (!allowedIn.includes(row.status)) return { outcome: "refused", status: row.status };
    const existing = checkpoints.find(row.key, checkpointId);
    if (existing === undefined) {
      checkpoints.append(row.key, checkpointId, state, nowMs);
      rows.saved(row, checkpointId, nowMs);
    } else {
      rows.touch(row, nowMs);
    }
    return {
      outcome: existing === undefined ? "saved" : "found",
      state: existing === undefined ? emptyBytes : checkpoints.stateAt(existing),
      signal: signals.pending(row),
      custom: signals.take(row, checkpointId),
    };
  };
}

export function preparePollSignals(
  { rows }: Context,
  signals: SignalReader,
): (operation: PollSignals) => PollSignalsResult {
  return ({ instanceId, checkpointId }) => {
    const row = rows.get(instanceId);
    if (row === undefined) return unknownInstance;
    return {
      outcome: "polled",
      signal: signals.pending(row),
      custom: checkpointId === undefined ? undefined : signals.take(row, checkpointId),
    };
  };
}

export function prepareRecordRetry({ database, rows }: Context): (operation: RecordRetry) => RecordRetryResult {
  const upsert = database.prepare(
    `INSERT INTO retry_attempts (instance_key, checkpoint_id, attempt, error_message, created_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET error_message = excluded.error_message, created_at = excluded.created_at`,
  );
  return ({ instanceId, checkpointId, attempt, error, nowMs }) => {
    const row = rows.get(instanceId);
    if (row === undefined) return unknownInstance;
    upsert.run(row.key, checkpointId, attempt, error ?? null, nowMs);
    rows.touch(row, nowMs);
    return { outcome: "recorded" };
  };
}
