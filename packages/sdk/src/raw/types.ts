import type { ServerAccess } from "../wire/server-access.ts";
import type { SignalType, Status } from "../wire/words.ts";

export type { SignalType, Status };

/** How an instance reaches its core. */
export interface SdkConfig extends ServerAccess {
  instanceId: string;
  tenantId: string;
  /** `host:port`, `[v6]:port`. Default 127.0.0.1:8001. */
  serverAddr?: string;
  /** Default "localhost". */
  serverName?: string;
  /** Default 10,000. */
  connectTimeoutMs?: number;
  /** Deadline of each call but sleep. Default 30,000; 0 = none. */
  requestTimeoutMs?: number;
  /** `pollSignal` asks the server at most this often. Default 1,000. */
  signalPollIntervalMs?: number;
  /** Default 30,000; 0 = no heartbeat. */
  heartbeatIntervalMs?: number;
}

export interface Signal {
  signalType: SignalType;
  payload: Uint8Array;
  /** Set when a signal for one checkpoint is passed on as a Signal; its type then means nothing. */
  checkpointId?: string;
}

export interface CheckpointResult {
  /** True: there was a state under the id. False: the given one was saved. */
  readonly found: boolean;
  /** What was found, empty when it was saved. */
  readonly state: Uint8Array;
  readonly existingState: Uint8Array | undefined;
  /** Not acknowledged yet, for the whole instance. */
  readonly pendingSignal?: Signal;
  /** For this checkpoint id; with this answer it is gone from the server. */
  readonly customSignal?: { checkpointId: string; payload: Uint8Array };
  readonly shouldCancel: boolean;
  readonly shouldPause: boolean;
  readonly shouldExit: boolean;
}

export interface StatusResponse {
  found: boolean;
  status: "unknown" | Status;
  checkpointId?: string;
  output?: Uint8Array;
  error?: string;
  startedAt?: Date;
  finishedAt?: Date;
}
