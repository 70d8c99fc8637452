import type { CustomSignal, EventType, InstanceStatus, PendingSignal, SignalType } from "@runtara/store";

// The instance protocol on plain objects (spec 2.3 to 2.10). Times are milliseconds since the Unix epoch.

export interface RegisterRequest {
  readonly instanceId: string;
  readonly tenantId: string;
  readonly checkpointId?: string | undefined;
}
/** `error` is empty on success. */
export interface RegisterResponse {
  readonly success: boolean;
  readonly error: string;
}

export interface CheckpointRequest {
  readonly instanceId: string;
  readonly checkpointId: string;
  readonly state: Uint8Array;
}
export interface CheckpointResponse {
  readonly found: boolean;
  /** The stored bytes where found, else empty. */
  readonly state: Uint8Array;
  readonly signal: PendingSignal | undefined;
  readonly custom: CustomSignal | undefined;
}

export interface GetCheckpointRequest {
  readonly instanceId: string;
  readonly checkpointId: string;
}
export interface GetCheckpointResponse {
  readonly found: boolean;
  readonly state: Uint8Array;
}

export interface SleepRequest {
  readonly instanceId: string;
  readonly checkpointId: string;
  readonly state: Uint8Array;
  /** Any number up to 2^64 - 1; clamped. */
  readonly durationMs: number;
}

export interface EventRequest {
  readonly instanceId: string;
  readonly type: Exclude<EventType, "started">;
  readonly checkpointId?: string | undefined;
  readonly payload: Uint8Array;
  /** The client's clock; one outside of the calendar counts as now. */
  readonly timestampMs: number;
  readonly subtype?: string | undefined;
}

export interface StatusResponse {
  readonly instanceId: string;
  readonly status: InstanceStatus | "unknown";
  readonly checkpointId: string | undefined;
  /** 0 if never started. */
  readonly startedAtMs: number;
  readonly finishedAtMs: number | undefined;
  readonly output: Uint8Array | undefined;
  readonly error: string | undefined;
}

export interface PollSignalsRequest {
  readonly instanceId: string;
  readonly checkpointId?: string | undefined;
}
export interface PollSignalsResponse {
  readonly signal: PendingSignal | undefined;
  readonly custom: CustomSignal | undefined;
}

export interface AcknowledgeRequest {
  readonly instanceId: string;
  /** Undefined: a type this protocol does not have. */
  readonly signal: SignalType | undefined;
  readonly acknowledged: boolean;
}

export interface RetryAttemptRequest {
  readonly instanceId: string;
  readonly checkpointId: string;
  /** Stored as a signed 32-bit number. */
  readonly attempt: number;
  readonly error?: string | undefined;
}

export interface SendSignalRequest {
  readonly instanceId: string;
  readonly signal: SignalType;
  readonly payload: Uint8Array;
}
export interface SendCustomSignalRequest {
  readonly instanceId: string;
  readonly checkpointId: string;
  readonly payload: Uint8Array;
}
