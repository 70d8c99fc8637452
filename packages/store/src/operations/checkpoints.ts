import type { CustomSignal, OutgoingMessage, PendingSignal } from "../model.ts";
import type { BadCursor, Fenced, FromInstance, Refused, UnknownInstance } from "./refusals.ts";

/**
 * Saves a checkpoint unless its id exists: one insert-if-absent. Of concurrent first saves, on any number of processes, exactly one is told
 * `saved`; all others get its bytes (`found`). Compared in the write's own transaction, under the lock of the instance's row, in
 * this order: `epoch` (else `fenced`), status is running (else `refused`). `saved` also moves the pointer, the count and last_seen_at; `found` writes nothing (touchInstances).
 *
 * Both answer the unacknowledged signal (it stays) and take the custom signal of this id: the older one of its slot and of the queue under
 * this name is gone with this transaction. A refused or failed save takes nothing.
 */
export interface SaveCheckpoint extends FromInstance {
  readonly kind: "saveCheckpoint";
  readonly checkpointId: string;
  readonly state: Uint8Array;
  readonly nowMs: number;
}
export type SaveCheckpointResult =
  | {
      readonly outcome: "saved" | "found";
      /** The stored bytes where found, else empty. */
      readonly state: Uint8Array;
      readonly signal: PendingSignal | undefined;
      readonly custom: CustomSignal | undefined;
    }
  | Refused
  | Fenced
  | UnknownInstance;

/**
 * Saves several checkpoints of one instance in one transaction, all or none; ids are different (the caller has checked). Each is saved or
 * found as by itself, in this order, which is the order of every later listing. The batch is refused as a whole (status not running,
 * fenced); an id that is found is no refusal.
 *
 * `consumesSignalId`: the queued or slot signal with this id is taken off with the save of the entry that records it; if the entry is found
 * nothing is consumed; if the signal is gone (replaced, or consumed by the first try of this batch) the entry is saved all the same.
 *
 * `messages` go out in the same transaction, numbered in the present run. `beginsRun` must be run + 1, else `runMismatch`; the run's number
 * grows after the messages and their numbers begin again. A repetition of a batch that began its run (beginsRun equals the present run, and
 * every entry is found) is answered as before, and its messages are passed over. Takes no custom signals: ids of entries are no signal names.
 */
export interface SaveBatch extends FromInstance {
  readonly kind: "saveBatch";
  readonly epoch: number;
  readonly entries: readonly {
    readonly checkpointId: string;
    readonly state: Uint8Array;
    readonly consumesSignalId?: number;
  }[];
  readonly messages: readonly OutgoingMessage[];
  readonly beginsRun?: number;
  readonly nowMs: number;
}
export type SaveBatchResult =
  | {
      readonly outcome: "saved";
      /** One for each entry; `state` is undefined where it was saved, else what is stored. */
      readonly entries: readonly { readonly state: Uint8Array | undefined }[];
      readonly signal: PendingSignal | undefined;
    }
  | { readonly outcome: "runMismatch"; readonly run: number }
  | Refused
  | Fenced
  | UnknownInstance;

/**
 * What goes out without a checkpoint. Messages of a lower run than the present one, or with a number not above the highest stored one, are
 * passed over; a higher run is `runMismatch`. Refused unless running.
 */
export interface Publish extends FromInstance {
  readonly kind: "publish";
  readonly epoch: number;
  readonly run: number;
  readonly messages: readonly OutgoingMessage[];
  readonly nowMs: number;
}
export type PublishResult =
  | { readonly outcome: "published"; readonly lastNumber: number }
  | { readonly outcome: "runMismatch"; readonly run: number }
  | Refused
  | Fenced
  | UnknownInstance;

/** Reads a checkpoint in any status; a retry record `{base}::retry::{n}` is found with an empty state unless a checkpoint has that very id. */
export interface LoadCheckpoint {
  readonly kind: "loadCheckpoint";
  readonly instanceId: string;
  readonly tenantId?: string;
  readonly checkpointId: string;
}
export type LoadCheckpointResult =
  | { readonly outcome: "found"; readonly state: Uint8Array; readonly createdAtMs: number }
  | { readonly outcome: "missing" }
  | UnknownInstance;

/**
 * One page of an instance's own checkpoints in the order of their saving, and of its newest retry record for each id, placed where it was
 * recorded. Fenced by `epoch`, so that the pages of one registration are one state. `behind`: only what was saved behind this checkpoint,
 * found by one look-up; an id that is not stored leaves nothing out. With a cursor it does not count. A page has at least one row and ends after
 * `pageBytesMax` bytes of states, or `limits.ownRowsMax` rows. States over `stateBytesMax` are left out (`state` undefined). Both tables are
 * filtered by `prefix`, byte by byte.
 */
export interface ListOwnCheckpoints extends FromInstance {
  readonly kind: "listOwnCheckpoints";
  readonly epoch: number;
  readonly cursor?: string;
  readonly behind?: string;
  readonly prefix: string;
  readonly stateBytesMax: number;
  readonly pageBytesMax: number;
}
export interface OwnCheckpoint {
  readonly checkpointId: string;
  readonly state: Uint8Array | undefined;
  readonly stateBytes: number;
  readonly createdAtMs: number;
}
export interface OwnRetry {
  readonly checkpointId: string;
  readonly attempt: number;
  readonly createdAtMs: number;
  readonly nextAtMs: number | null;
  readonly error: string | null;
}
export type ListOwnCheckpointsResult =
  | {
      readonly outcome: "page";
      readonly checkpoints: readonly OwnCheckpoint[];
      readonly retries: readonly OwnRetry[];
      /** Undefined = that was the last page. */
      readonly nextCursor: string | undefined;
    }
  | BadCursor
  | Fenced
  | UnknownInstance;

/**
 * Keeps one record per (instance, checkpoint id, attempt) in any status; a repeat replaces message and times and moves it to the end of the
 * listing. `nextAtMs`: when the attempt begins; while it lies ahead and the checkpoint does not exist, a suspended instance wakes then.
 */
export interface RecordRetry extends FromInstance {
  readonly kind: "recordRetry";
  readonly checkpointId: string;
  /** A signed 32-bit number. */
  readonly attempt: number;
  readonly error?: string;
  readonly nextAtMs?: number;
  readonly nowMs: number;
}
export type RecordRetryResult = { readonly outcome: "recorded" } | Fenced | UnknownInstance;
