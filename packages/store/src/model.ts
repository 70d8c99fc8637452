/** The states of an instance, as stored and shown. The last three are final. */
export const instanceStatuses = ["pending", "running", "suspended", "completed", "failed", "cancelled"] as const;
export type InstanceStatus = (typeof instanceStatuses)[number];

/**
 * Why an instance has its status; null = nothing special. Of a suspended one it decides what wakes it:
 * - sleeping: its time. waiting: one of its signal names, or its time. Both: a cancel.
 * - paused, diverged: a resume or a cancel, nothing else.
 * - lost: nobody heard of it for too long; it may register again. handedBack: the next worker is to take it.
 * Of an ended one: reported (by itself), timeout, killed, cancelled (asked for), exited (without a report).
 */
export const statusReasons = [
  "sleeping",
  "waiting",
  "paused",
  "diverged",
  "lost",
  "handedBack",
  "reported",
  "timeout",
  "killed",
  "cancelled",
  "exited",
] as const;
export type StatusReason = (typeof statusReasons)[number];

export const signalTypes = ["cancel", "pause", "resume"] as const;
export type SignalType = (typeof signalTypes)[number];

export const eventTypes = ["started", "heartbeat", "completed", "failed", "suspended", "custom"] as const;
export type EventType = (typeof eventTypes)[number];

/** A signal to a whole instance that has not been acknowledged. An absent payload is an empty one. */
export interface PendingSignal {
  readonly type: SignalType;
  readonly payload: Uint8Array;
}

/** A signal addressed to one checkpoint id, taken through the base protocol. */
export interface CustomSignal {
  readonly checkpointId: string;
  readonly payload: Uint8Array;
}

/**
 * A named signal that stays until a checkpoint consumes it. Ids grow in the order in which signals to one instance commit, so "after
 * id n" never misses one. A signal in a slot (sent without `queued`) is seen here too; replacing it gives it a new id.
 */
export interface QueuedSignal {
  readonly signalId: number;
  readonly name: string;
  readonly payload: Uint8Array;
  readonly createdAtMs: number;
}

/** What a process must know before the first step of an instance. */
export interface StartFacts {
  /** Number of this registration, from 1. */
  readonly epoch: number;
  /** Checkpoints and retry records. */
  readonly checkpointCount: number;
  readonly input: Uint8Array | null;
  /** Of the first registration. */
  readonly firstStartedAtMs: number;
  /** 16 bytes, the same in every registration. */
  readonly seed: Uint8Array;
  /** From 1. */
  readonly run: number;
  readonly workflow: string | null;
  readonly version: string | null;
  readonly parentInstanceId: string | null;
  readonly signal: PendingSignal | undefined;
}

/** What is known of an instance beside its result. Times are milliseconds since the Unix epoch. */
export interface InstanceDetails {
  readonly instanceId: string;
  readonly tenantId: string;
  readonly status: InstanceStatus;
  readonly reason: StatusReason | null;
  /** An operator's words to it, for example those of a kill. */
  readonly reasonText: string | null;
  readonly exitCode: number | null;
  readonly workflow: string | null;
  readonly version: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  readonly firstStartedAtMs: number | null;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
  /** From when on it may be claimed: planned start, wake time, or now. Null = not by itself. */
  readonly readyAtMs: number | null;
  readonly waitingFor: readonly string[];
  readonly run: number;
  readonly parentInstanceId: string | null;
  /** Who runs it under a lease. */
  readonly holder: string | null;
}

/** An instance as a whole. */
export interface Instance extends InstanceDetails {
  /** The last newly saved checkpoint. */
  readonly checkpointId: string | null;
  readonly checkpointCount: number;
  readonly epoch: number;
  /** The last call for this instance by the server's clock, true to within `limits.touchEveryMs`. */
  readonly lastSeenAtMs: number | null;
  readonly output: Uint8Array | null;
  readonly error: string | null;
  /** The error with its structure, as the SDK sent it. */
  readonly failure: Uint8Array | null;
  /** Only where it was asked for. */
  readonly start?: InstanceStart;
}

/** What an instance was started with and keeps over all its registrations. */
export interface InstanceStart {
  readonly input: Uint8Array | null;
  /** 16 bytes; null only in adopted rows that have not registered since. */
  readonly seed: Uint8Array | null;
}

/** A value to publish or an event to note, numbered within a run, so that sending it again does nothing. */
export interface OutgoingMessage {
  /** 1, 2, … One not above the highest stored number of the run is passed over. */
  readonly number: number;
  readonly content:
    | { readonly kind: "published"; readonly key: string; readonly value: Uint8Array }
    | { readonly kind: "event"; readonly subtype: string; readonly payload: Uint8Array; readonly createdAtMs: number };
}

export interface PublishedValue {
  readonly key: string;
  readonly value: Uint8Array;
  readonly updatedAtMs: number;
}

/** One thing that happened to an instance. `state`, `payload` undefined = longer than asked for. */
export type HistoryEntry = { readonly atMs: number } & (
  | {
      readonly kind: "checkpoint";
      readonly checkpointId: string;
      readonly state: Uint8Array | undefined;
      readonly stateBytes: number;
    }
  | {
      readonly kind: "event";
      readonly type: EventType;
      readonly subtype: string | null;
      readonly checkpointId: string | null;
      readonly payload: Uint8Array | null | undefined;
    }
  | {
      readonly kind: "retry";
      readonly checkpointId: string;
      readonly attempt: number;
      readonly nextAtMs: number | null;
      readonly error: string | null;
    }
  | {
      readonly kind: "signal";
      readonly type: SignalType | null;
      readonly name: string | null;
      readonly payload: Uint8Array | null | undefined;
      readonly delivered: boolean;
    }
);
