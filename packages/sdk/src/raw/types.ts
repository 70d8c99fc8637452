import type { Status } from "../api/client.ts";
import type { SignalType } from "../ports/source.ts";

export type { SignalType, Status };

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
