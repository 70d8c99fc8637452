import type { Status } from "../api/client.ts";
import type { SignalType } from "../ports/source.ts";
import type { SdkError } from "./errors.ts";

/** Which instance the calls are for. */
export interface RawInstance {
  readonly instanceId: string;
  readonly tenantId: string;
}

export interface RawSignal {
  readonly type: SignalType;
  readonly payload: Uint8Array;
}
export interface RawCustomSignal {
  readonly checkpointId: string;
  readonly payload: Uint8Array;
}

export interface RawSaved {
  /** True: something was stored under the id already, `state` is that. False: it was saved. */
  readonly found: boolean;
  readonly state: Uint8Array;
  readonly signal: RawSignal | undefined;
  readonly customSignal: RawCustomSignal | undefined;
}

export interface RawStatus {
  /** Unknown: there is no such instance. */
  readonly status: Status | "unknown";
  readonly checkpointId: string | undefined;
  /** 0 = not yet. */
  readonly startedAtMs: number;
  readonly finishedAtMs: number | undefined;
  readonly output: Uint8Array | undefined;
  readonly error: string | undefined;
}

export type RawEvent = "heartbeat" | "completed" | "failed" | "suspended" | "custom";

/** The calls of one instance (spec 2), over the wire or on core's services in this process. They reject with {@link SdkError} alone. */
export interface RawCalls {
  readonly isConnected: boolean;
  connect(): Promise<void>;
  close(): Promise<void>;
  /** The refusal, or undefined when the instance is registered. */
  register(checkpointId: string | undefined): Promise<string | undefined>;
  checkpoint(checkpointId: string, state: Uint8Array): Promise<RawSaved>;
  getCheckpoint(checkpointId: string): Promise<Uint8Array | undefined>;
  /** Resolves when the time is over, and never before; a lost connection only has it asked for again. Whole milliseconds, above 0. */
  sleep(durationMs: number, checkpointId: string, state: Uint8Array): Promise<void>;
  /** The refusal, or undefined when the event is stored. */
  event(kind: RawEvent, payload: Uint8Array | undefined, subtype: string | undefined): Promise<string | undefined>;
  /** With an id: the signal for that checkpoint, gone with the answer; without: the instance's, which stays. */
  pollSignals(
    checkpointId: string | undefined,
  ): Promise<{ readonly signal: RawSignal | undefined; readonly customSignal: RawCustomSignal | undefined }>;
  acknowledge(type: SignalType, acknowledged: boolean): Promise<void>;
  retryAttempt(checkpointId: string, attempt: number, error: string | undefined): Promise<void>;
  status(instanceId: string): Promise<RawStatus>;
}
