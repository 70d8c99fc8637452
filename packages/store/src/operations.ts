import type {
  CustomSignal,
  EventType,
  Instance,
  InstanceStatus,
  PendingSignal,
  SignalType,
  Transition,
} from "./model.ts";

// Operations are plain data, so that an engine may carry out many at once, in another thread or process, or as one statement.
// Each is atomic. Times are milliseconds since the Unix epoch and come from the caller: a store reads no clock.

/** Inserts an instance that nobody has started yet (status pending). */
export interface CreateInstance {
  readonly kind: "createInstance";
  readonly instanceId: string;
  readonly tenantId: string;
  readonly nowMs: number;
}
export type CreateInstanceResult = { readonly outcome: "created" } | { readonly outcome: "exists" };

/**
 * Makes an instance running, creating it where it is unknown, and writes its `started` event. Clears output, error, finished_at and
 * sleep_until of an earlier life. With `checkpointId` nothing happens unless that checkpoint (or retry record) exists.
 */
export interface RegisterInstance {
  readonly kind: "registerInstance";
  readonly instanceId: string;
  readonly tenantId: string;
  readonly checkpointId?: string;
  readonly allowedIn: readonly InstanceStatus[];
  readonly nowMs: number;
}
export type RegisterInstanceResult =
  | {
      readonly outcome: "registered";
      readonly epoch: number;
      readonly checkpointCount: number;
      readonly created: boolean;
    }
  | { readonly outcome: "checkpointMissing" }
  | { readonly outcome: "refused"; readonly status: InstanceStatus };

/** Saves a checkpoint unless its id exists: of concurrent first saves one is told "saved", all others get its bytes. */
export interface SaveCheckpoint {
  readonly kind: "saveCheckpoint";
  readonly instanceId: string;
  readonly checkpointId: string;
  readonly state: Uint8Array;
  readonly allowedIn: readonly InstanceStatus[];
  readonly nowMs: number;
}
export type SaveCheckpointResult =
  | {
      readonly outcome: "saved" | "found";
      /** The stored bytes where found, else empty. */
      readonly state: Uint8Array;
      readonly signal: PendingSignal | undefined;
      /** Gone from the store with this transaction. */
      readonly custom: CustomSignal | undefined;
    }
  | { readonly outcome: "refused"; readonly status: InstanceStatus }
  | UnknownInstance;

/** Reads a checkpoint; a retry record `{base}::retry::{n}` is found with an empty state unless a checkpoint has that very id. */
export interface LoadCheckpoint {
  readonly kind: "loadCheckpoint";
  readonly instanceId: string;
  readonly checkpointId: string;
}
export type LoadCheckpointResult =
  | { readonly outcome: "found"; readonly state: Uint8Array }
  | { readonly outcome: "missing" }
  | UnknownInstance;

/** Stores an event and carries out the first of `transitions` that fits, both or neither. */
export interface AppendEvent {
  readonly kind: "appendEvent";
  readonly instanceId: string;
  readonly type: EventType;
  readonly checkpointId?: string;
  readonly payload?: Uint8Array;
  readonly subtype?: string;
  /** The client's time. */
  readonly createdAtMs: number;
  readonly transitions: readonly Transition[];
  readonly nowMs: number;
}
export type AppendEventResult = { readonly outcome: "stored"; readonly status: InstanceStatus } | UnknownInstance;

export interface ReadInstance {
  readonly kind: "readInstance";
  readonly instanceId: string;
}
export type ReadInstanceResult = { readonly outcome: "found"; readonly instance: Instance } | UnknownInstance;

/** Reads the pending signal; with `checkpointId` also takes the custom signal of that id (it is gone with this transaction). */
export interface PollSignals {
  readonly kind: "pollSignals";
  readonly instanceId: string;
  readonly checkpointId?: string;
}
export type PollSignalsResult =
  | {
      readonly outcome: "polled";
      readonly signal: PendingSignal | undefined;
      readonly custom: CustomSignal | undefined;
    }
  | UnknownInstance;

/** Acknowledges the pending signal if it is of this type, and carries out the first transition that fits. */
export interface AcknowledgeSignal {
  readonly kind: "acknowledgeSignal";
  readonly instanceId: string;
  readonly signal: SignalType;
  readonly transitions: readonly Transition[];
  readonly nowMs: number;
}
export type AcknowledgeSignalResult =
  | { readonly outcome: "acknowledged"; readonly status: InstanceStatus }
  | { readonly outcome: "notPending"; readonly pending: SignalType | undefined }
  | UnknownInstance;

/** Keeps one record per (instance, checkpoint id, attempt); a repeat replaces message and time. */
export interface RecordRetry {
  readonly kind: "recordRetry";
  readonly instanceId: string;
  readonly checkpointId: string;
  /** A signed 32-bit number. */
  readonly attempt: number;
  readonly error?: string;
  readonly nowMs: number;
}
export type RecordRetryResult = { readonly outcome: "recorded" } | UnknownInstance;

/**
 * Begins or continues a durable sleep. A record is (instance, checkpoint id, ordinal of this id within the current registration).
 * An unfinished one of this registration is continued, else the next ordinal is taken; if an earlier registration had recorded that
 * ordinal, its end counts. Instances outside `allowedIn` get no record.
 */
export interface BeginSleep {
  readonly kind: "beginSleep";
  readonly instanceId: string;
  readonly checkpointId: string;
  readonly state: Uint8Array;
  readonly durationMs: number;
  readonly allowedIn: readonly InstanceStatus[];
  readonly nowMs: number;
}
export type BeginSleepResult =
  | { readonly outcome: "sleeping"; readonly ordinal: number; readonly wakeAtMs: number; readonly continued: boolean }
  | { readonly outcome: "unrecorded" };

/** Notes that a sleep has been slept to its end, so that the next one of that id in this registration is a new one. */
export interface EndSleep {
  readonly kind: "endSleep";
  readonly instanceId: string;
  readonly checkpointId: string;
  readonly ordinal: number;
}
export type EndSleepResult = { readonly outcome: "ended" };

/**
 * Puts a signal into the instance's single slot and carries out the first transition that fits. A pending cancel is kept: whatever
 * is sent after it changes nothing.
 */
export interface SendSignal {
  readonly kind: "sendSignal";
  readonly instanceId: string;
  readonly signal: SignalType;
  readonly payload?: Uint8Array;
  readonly allowedIn: readonly InstanceStatus[];
  readonly transitions: readonly Transition[];
  readonly nowMs: number;
}
export type SendSignalResult =
  | { readonly outcome: "sent"; readonly status: InstanceStatus }
  | { readonly outcome: "cancelKept"; readonly status: InstanceStatus }
  | { readonly outcome: "refused"; readonly status: InstanceStatus }
  | UnknownInstance;

/** Puts a signal for one checkpoint id; one that waits under this id is replaced. */
export interface SendCustomSignal {
  readonly kind: "sendCustomSignal";
  readonly instanceId: string;
  readonly checkpointId: string;
  readonly payload?: Uint8Array;
  readonly nowMs: number;
}
export type SendCustomSignalResult = { readonly outcome: "sent" } | UnknownInstance;

/** A page of a listing. */
export interface Page {
  readonly limit: number;
  readonly offset?: number;
}

/** Newest first. */
export interface ListInstances extends Page {
  readonly kind: "listInstances";
  readonly tenantId?: string;
  readonly status?: InstanceStatus;
}
export interface ListInstancesResult {
  readonly instances: readonly Instance[];
}

/** Newest first; sizes without states. */
export interface ListCheckpoints extends Page {
  readonly kind: "listCheckpoints";
  readonly instanceId: string;
}
export interface ListCheckpointsResult {
  readonly checkpoints: readonly {
    readonly checkpointId: string;
    readonly createdAtMs: number;
    readonly stateBytes: number;
  }[];
}

/** Newest first by the client's time, then by arrival. */
export interface ListEvents extends Page {
  readonly kind: "listEvents";
  readonly instanceId: string;
}
export interface StoredEvent {
  readonly type: EventType;
  readonly subtype: string | null;
  readonly checkpointId: string | null;
  readonly payload: Uint8Array | null;
  readonly createdAtMs: number;
  readonly receivedAtMs: number;
}
export interface ListEventsResult {
  readonly events: readonly StoredEvent[];
}

/** In order of attempt. */
export interface ListRetries extends Page {
  readonly kind: "listRetries";
  readonly instanceId: string;
  readonly checkpointId: string;
}
export interface ListRetriesResult {
  readonly retries: readonly {
    readonly attempt: number;
    readonly error: string | null;
    readonly createdAtMs: number;
  }[];
}

export interface UnknownInstance {
  readonly outcome: "unknownInstance";
}

/** What each kind of operation answers. */
export interface ResultOf {
  readonly createInstance: CreateInstanceResult;
  readonly registerInstance: RegisterInstanceResult;
  readonly saveCheckpoint: SaveCheckpointResult;
  readonly loadCheckpoint: LoadCheckpointResult;
  readonly appendEvent: AppendEventResult;
  readonly readInstance: ReadInstanceResult;
  readonly pollSignals: PollSignalsResult;
  readonly acknowledgeSignal: AcknowledgeSignalResult;
  readonly recordRetry: RecordRetryResult;
  readonly beginSleep: BeginSleepResult;
  readonly endSleep: EndSleepResult;
  readonly sendSignal: SendSignalResult;
  readonly sendCustomSignal: SendCustomSignalResult;
  readonly listInstances: ListInstancesResult;
  readonly listCheckpoints: ListCheckpointsResult;
  readonly listEvents: ListEventsResult;
  readonly listRetries: ListRetriesResult;
}

export type Operation =
  | CreateInstance
  | RegisterInstance
  | SaveCheckpoint
  | LoadCheckpoint
  | AppendEvent
  | ReadInstance
  | PollSignals
  | AcknowledgeSignal
  | RecordRetry
  | BeginSleep
  | EndSleep
  | SendSignal
  | SendCustomSignal
  | ListInstances
  | ListCheckpoints
  | ListEvents
  | ListRetries;

export type OperationKind = Operation["kind"];
export type OperationOf<K extends OperationKind> = Extract<Operation, { readonly kind: K }>;
