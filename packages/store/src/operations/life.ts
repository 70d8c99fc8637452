import type { EventType, InstanceStatus, PendingSignal, QueuedSignal, SignalType } from "../model.ts";
import type { Fenced, FromInstance, Refused, UnknownInstance } from "./refusals.ts";

/**
 * Stores an event and carries out what the lifecycle table says, both or neither: complete, fail or suspend for events of these types,
 * nothing for others. On a finished instance the row is stored and nothing else changes. `output`, `error`, `failure` go with a change to
 * completed or failed only; they replace each other (completed: error and failure null; failed: output null).
 */
export interface AppendEvent extends FromInstance {
  readonly kind: "appendEvent";
  readonly type: Exclude<EventType, "started">;
  readonly checkpointId?: string;
  readonly payload?: Uint8Array;
  readonly subtype?: string;
  /** The client's time. */
  readonly createdAtMs: number;
  readonly output?: Uint8Array;
  readonly error?: string;
  readonly failure?: Uint8Array;
  /** Of a suspended event. Absent: paused if the last acknowledged signal of this registration is a pause, else plain (null). */
  readonly reason?: "paused" | "diverged";
  readonly nowMs: number;
}
export type AppendEventResult =
  | { readonly outcome: "stored"; readonly status: InstanceStatus /** See SettleEnded. */; readonly unsettled: boolean }
  | Fenced
  | UnknownInstance;

/**
 * Ends the hold of the process until something happens, or says what has happened already. Under the lock of the instance's row, which every
 * sender of signals takes too, so no wake-up is lost: `notYet` if the unacknowledged signal is another than `recordedSignal`, if a queued or
 * slot signal of one of `names` with an id above `afterSignalId` is there, or if `untilMs` has passed. Else the status becomes suspended
 * (waiting if there are names or no time, else sleeping), a `suspended` event is written, holder and lease are gone, and it may be claimed
 * from min(untilMs, the next time of an open retry) on. Repeating it on an instance that this very epoch suspended is `suspended` again.
 */
export interface SuspendUntil extends FromInstance {
  readonly kind: "suspendUntil";
  readonly epoch: number;
  readonly untilMs?: number;
  readonly names: readonly string[];
  readonly recordedSignal?: SignalType;
  readonly afterSignalId: number;
  /** Bytes of payloads after which the answer's signals end; there is at least one if there is any. */
  readonly bytesMax: number;
  readonly nowMs: number;
}
export type SuspendUntilResult =
  | { readonly outcome: "suspended" }
  | { readonly outcome: "notYet"; readonly signal: PendingSignal | undefined; readonly queued: readonly QueuedSignal[] }
  | Refused
  | Fenced
  | UnknownInstance;

/**
 * Begins or continues a durable sleep. A record is (instance, checkpoint id, ordinal of this id within the current registration). An
 * unfinished one of this registration is continued, else the next ordinal is taken; if an earlier registration recorded that ordinal, its
 * end counts. `unrecorded` (just wait): unknown or finished instance, or `epoch` not the present one. Records live until the instance ends.
 */
export interface BeginSleep extends FromInstance {
  readonly kind: "beginSleep";
  readonly checkpointId: string;
  readonly state: Uint8Array;
  readonly durationMs: number;
  readonly nowMs: number;
}
export type BeginSleepResult =
  | { readonly outcome: "sleeping"; readonly ordinal: number; readonly wakeAtMs: number; readonly continued: boolean }
  | { readonly outcome: "unrecorded" };

/** Notes that a sleep has been slept to its end. Nothing happens if a later registration has adopted the record. */
export interface EndSleep extends FromInstance {
  readonly kind: "endSleep";
  readonly checkpointId: string;
  readonly ordinal: number;
}
export interface EndSleepResult {
  readonly outcome: "ended";
}

/**
 * Lets time do its work: at most `limit` instances whose due time has come, oldest first, each by one process only (rows that another process
 * works on are skipped; of equal times by the bytes of their ids). Its running time is used up → failed, reason timeout. Nobody launched it, no holder, and silent for `staleAfterMs`
 * → suspended, reason lost. Neither (it was heard meanwhile) → its due time moves. Its holder's lease ended `limits.leaseGraceMs` ago and no
 * claim has come for it → suspended, reason handedBack, claimable at once, its process fenced. Each change writes its event.
 */
export interface FireDue {
  readonly kind: "fireDue";
  readonly nowMs: number;
  readonly staleAfterMs: number;
  /** Silence before this counts for nothing: nobody was there to hear. Absent = all of it counts. */
  readonly silentSinceMs?: number;
  readonly limit: number;
}
export interface FireDueResult {
  readonly outcome: "fired";
  readonly timedOut: readonly string[];
  readonly lost: readonly string[];
  readonly abandoned: readonly string[];
  readonly unsettled: boolean;
  /** When to call again; undefined = there is nothing to wait for. Not after nowMs if `limit` was reached. */
  readonly nextDueAtMs: number | undefined;
}

/**
 * Carries out what follows from ends: the result is queued to the parent (message id "child:" + id, so once), a waiting parent becomes
 * claimable, attached children that have not ended are asked to cancel as by an operator. Which ends are open is stored with the end itself,
 * so a crash between loses nothing. At most `limit` ends, each by one process only.
 */
export interface SettleEnded {
  readonly kind: "settleEnded";
  readonly nowMs: number;
  readonly limit: number;
}
export interface SettleEndedResult {
  readonly outcome: "settled";
  readonly count: number;
  /** Call again: the limit was reached, or the cancellation of children has brought new ends. */
  readonly more: boolean;
}
