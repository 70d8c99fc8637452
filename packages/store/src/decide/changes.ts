import type { EventType, SignalType } from "../model.ts";
import type { InstanceRow } from "./row.ts";

/** What to tell listeners of `watch` after the commit; `noticesOf` makes notices of it. */
export type NoticeKind = "work" | "lease" | "signal" | "status" | "ended" | "due" | "history";

/** What one decision writes about one instance. Plain data; an engine has one writer for it. Lists are carried out in their order. */
export interface Changes {
  /** The server's time: of new rows, of an acknowledgement, of a signal that is taken, of a published value. */
  readonly atMs: number;
  /** The row as it is to be; absent = unchanged. With `insert` it is new. A row's pendingSignal and pauseAcknowledged follow from `pending`. */
  readonly row?: InstanceRow;
  readonly insert?: { readonly input: Uint8Array | null; readonly tags: Readonly<Record<string, string>> };
  /** A life begins: the original's column sleep_until, where there is one, becomes null. */
  readonly clearSleepUntil?: true;
  /** New checkpoints; the row counts and points to them already. */
  readonly checkpoints?: readonly { readonly checkpointId: string; readonly state: Uint8Array }[];
  /** Absent = unchanged; null = cleared. */
  readonly output?: Uint8Array | null;
  readonly error?: string | null;
  readonly failure?: Uint8Array | null;
  readonly events?: readonly NewEvent[];
  /** The single slot of signals to the whole instance; "acknowledged" keeps the row. A new one also gets a row of the signals' history. */
  readonly pending?: "acknowledged" | { readonly type: SignalType; readonly payload: Uint8Array | null };
  /** Replaces what is in the slot of this name, with its id. */
  readonly slotPut?: { readonly signalId: number; readonly name: string; readonly payload: Uint8Array | null };
  readonly queuePut?: {
    readonly signalId: number;
    readonly name: string;
    readonly messageId: string | null;
    readonly payload: Uint8Array | null;
  };
  /** Signals that are over. The row's queuedSignals is right already. */
  readonly signalsTaken?: readonly TakenSignal[];
  /** Replaces the record of the same attempt and moves it to the end of the listing. */
  readonly retry?: {
    readonly checkpointId: string;
    readonly attempt: number;
    readonly error: string | null;
    readonly nextAtMs: number | null;
  };
  /** Of one key only the last value; its version is the row's `changes`. */
  readonly published?: readonly { readonly key: string; readonly value: Uint8Array }[];
  /** Inserted or replaced. `state` undefined = that of the stored record stays. */
  readonly sleepPut?: {
    readonly checkpointId: string;
    readonly ordinal: number;
    readonly epoch: number;
    readonly finished: boolean;
    readonly wakeAtMs: number;
    readonly state: Uint8Array | undefined;
  };
  readonly sleepsForgotten?: true;
  /** This worker is to be told by its renewals that the instance is no longer its own (lost_work; it may be there already). */
  readonly lostBy?: string;
  /** This worker need not be told any more. Carried out before `lostBy`. */
  readonly lossForgottenBy?: string;
  /** Of a claim: until when the holder's lease lasts at least. For the notice; the lease itself is the worker's. */
  readonly leaseUntilMs?: number;
  readonly notices?: readonly NoticeKind[];
}

export interface NewEvent {
  readonly type: EventType;
  readonly subtype: string | null;
  readonly checkpointId: string | null;
  readonly payload: Uint8Array | null;
  readonly createdAtMs: number;
  readonly receivedAtMs: number;
}

/** `queued`: from the queue, else from a slot. */
export interface TakenSignal {
  readonly signalId: number;
  readonly queued: boolean;
}

/** What an operation answers, and what is to be written in its transaction; undefined = nothing. */
export interface Decision<Result> {
  readonly result: Result;
  readonly changes: Changes | undefined;
}

/** A decision about one instance that changes others, too: the parent of a started child, parent and children of an ended one. */
export interface WideDecision<Result> extends Decision<Result> {
  readonly others: readonly { readonly instanceId: string; readonly changes: Changes }[];
}
