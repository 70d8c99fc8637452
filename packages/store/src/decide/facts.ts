import type { QueuedSignal } from "../model.ts";
import type { InstanceRow } from "./row.ts";

// What an engine reads before it asks for a decision. Everything is read in the transaction that writes, after the rows named here have been
// locked: by itself on SQLite and in memory (one writer), by `FOR NO KEY UPDATE` in the order of instance ids on PostgreSQL, where facts of
// other tables that a sender of signals or another saver may have committed during the wait are read by a later statement than the lock.
// `row` is the operation's own instance, undefined where it is unknown. Facts of an unknown instance are those of one without any rows.

/** The payload of the pending signal; looked at only where the row has one. */
export interface SignalFacts {
  readonly signalPayload: Uint8Array | null;
}

/** A custom signal that can be taken through the base protocol. */
export interface TakeableSignal {
  readonly signalId: number;
  readonly payload: Uint8Array | null;
}

/** Locked: row. Both undefined where the operation names no checkpoint. */
export interface CustomSignalFacts extends SignalFacts {
  /** What lies in the slot of this checkpoint id. */
  readonly slot: TakeableSignal | undefined;
  /** The oldest waiting one of the queue of this name. Need not be read where the row's `queuedSignals` is 0. */
  readonly queued: TakeableSignal | undefined;
}

/** Locked: row. */
export interface RegisterInstanceFacts extends SignalFacts {
  /** A checkpoint or a retry record has the operation's checkpoint id. Not looked at if it names none. */
  readonly checkpointExists: boolean;
  /** Retry records of the instance; the row's checkpointCount counts checkpoints only. */
  readonly retryCount: number;
  readonly input: Uint8Array | null;
}

/** Locked: row and the parent's, in the order of their ids. */
export interface StartInstanceFacts {
  /** Input of the row, if there is one. */
  readonly input: Uint8Array | null;
  readonly parent: InstanceRow | undefined;
}

/** Locked: row. */
export interface SaveCheckpointFacts extends CustomSignalFacts {
  /** The stored bytes if this id is saved. */
  readonly stored: Uint8Array | undefined;
}

/** How messages meet what is published. Both are looked at only where a message publishes a value. */
export interface PublishFacts {
  /** Keys that the instance has published so far. */
  readonly publishedKeys: number;
  /** Of the keys of this operation, those among them. */
  readonly knownKeys: readonly string[];
}

/** Locked: row. */
export interface SaveBatchFacts extends SignalFacts, PublishFacts {
  /** For each entry, in their order: the stored bytes if its id is saved. */
  readonly stored: readonly (Uint8Array | undefined)[];
  /** Of the signals that entries consume, those that still wait for this instance. */
  readonly waiting: readonly { readonly signalId: number; readonly queued: boolean }[];
}

/** Locked: row. */
export interface RecordRetryFacts {
  /** A checkpoint has the base id, so the attempt is no longer awaited. */
  readonly checkpointExists: boolean;
}

/** Locked: row. Signals are read after the lock, by another statement: no sender may slip in between. */
export interface SuspendUntilFacts extends SignalFacts {
  /** Queued and slot signals of the names with ids above `afterSignalId`, oldest first: at most `limits.queuedSignalsMax`, of `bytesMax` bytes or one. */
  readonly queued: readonly QueuedSignal[];
  /** The earliest `nextAtMs` after nowMs of a retry record whose checkpoint does not exist. */
  readonly nextRetryAtMs: number | undefined;
}

/** Locked: row. */
export interface BeginSleepFacts {
  /** Of this checkpoint id, the highest ordinal whose record has the row's present epoch. */
  readonly latest: { readonly ordinal: number; readonly finished: boolean; readonly wakeAtMs: number } | undefined;
  /** The record behind it (ordinal of `latest`, or 0, plus 1), left by an earlier registration. */
  readonly earlier: { readonly wakeAtMs: number } | undefined;
}

/** Locked: row. */
export interface EndSleepFacts {
  readonly record: { readonly epoch: number; readonly finished: boolean; readonly wakeAtMs: number } | undefined;
}

/** Locked: row. */
export interface SendCustomSignalFacts {
  /** The next id of the instance's signals, drawn under the lock (a drawn one that is not used leaves a gap). */
  readonly signalId: number;
  /** The signal that has this message id already, waiting or consumed. */
  readonly duplicateOf: number | undefined;
}

/** For one row that a claim has found. Locked: row. On PostgreSQL a holder's row of workers FOR SHARE. */
export interface ClaimFacts extends SignalFacts {
  /** Of the present holder; undefined = it has no lease. Not looked at without a holder. */
  readonly holderLeaseUntilMs: number | undefined;
  /** The sequence that this answer will have. */
  readonly sequence: number;
  readonly retryCount: number;
  readonly input: Uint8Array | null;
}

/** For one row that is due, or whose holder's lease ended long ago. Locked: row. */
export interface DueFacts {
  readonly holderLeaseUntilMs: number | undefined;
  /** An environment started its process (the original's container registry has it). */
  readonly launched: boolean;
}

/** For one ended row with `unsettled`. Locked: row, parent and children, by one statement in the order of their ids. */
export interface SettleFacts {
  readonly output: Uint8Array | null;
  readonly error: string | null;
  readonly failure: Uint8Array | null;
  /** The parent; undefined if the row has none or it is gone. */
  readonly parent: InstanceRow | undefined;
  /** The result has been queued to the parent already: its message id `childMessageId(row.instanceId)` exists. */
  readonly told: boolean;
  /** The next signal id, for the parent. */
  readonly signalId: number;
  /** Attached children that have neither ended nor a pending cancel, at most `limits.settleChildrenMax`. */
  readonly children: readonly InstanceRow[];
  /** There are more than these; the end stays unsettled for the next round. */
  readonly moreChildren: boolean;
}

/** For one row. Locked: row. */
export interface RemovableFacts {
  /** It is the parent of one that has not ended. */
  readonly hasOpenChild: boolean;
}

/** The facts of operations on one instance. */
export interface FactsOf {
  readonly registerInstance: RegisterInstanceFacts;
  readonly startInstance: StartInstanceFacts;
  readonly saveCheckpoint: SaveCheckpointFacts;
  readonly saveBatch: SaveBatchFacts;
  readonly publish: PublishFacts;
  readonly recordRetry: RecordRetryFacts;
  readonly appendEvent: unknown;
  readonly suspendUntil: SuspendUntilFacts;
  readonly beginSleep: BeginSleepFacts;
  readonly endSleep: EndSleepFacts;
  readonly pollSignals: CustomSignalFacts;
  readonly acknowledgeSignal: unknown;
  readonly sendSignal: unknown;
  readonly sendCustomSignal: SendCustomSignalFacts;
  readonly controlInstance: unknown;
}
