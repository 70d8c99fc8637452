import type { CustomSignal, InstanceStatus, PendingSignal, QueuedSignal, SignalType } from "../model.ts";
import type { Fenced, FromInstance, FromOperator, Refused, UnknownInstance } from "./refusals.ts";

/**
 * Reads the unacknowledged signal; with `checkpointId` also takes the custom signal of that id (see SaveCheckpoint): it is gone with this
 * transaction. Any status. Without `checkpointId` it only reads, yet `epoch` is compared.
 */
export interface PollSignals extends FromInstance {
  readonly kind: "pollSignals";
  readonly checkpointId?: string;
  readonly nowMs: number;
}
export type PollSignalsResult =
  | {
      readonly outcome: "polled";
      readonly signal: PendingSignal | undefined;
      readonly custom: CustomSignal | undefined;
    }
  | Fenced
  | UnknownInstance;

/**
 * What has arrived for several instances; consumes nothing. An instance is in the answer if it is fenced (also if it is unknown, or has
 * ended without the caller), if its unacknowledged signal is another than `seenSignal`, or if a queued or slot signal of one of `names` with
 * an id above `afterSignalId` is there. Of one instance at most `limits.queuedSignalsMax` signals, the oldest first; of all together the
 * answer ends after `bytesMax` of payloads, but has at least one signal if there is any (the rest comes with the next call).
 */
export interface ReadSignals {
  readonly kind: "readSignals";
  readonly interests: readonly {
    readonly instanceId: string;
    readonly epoch: number;
    readonly names: readonly string[];
    readonly afterSignalId: number;
    readonly seenSignal?: SignalType;
  }[];
  readonly bytesMax: number;
}
export interface ReadSignalsResult {
  readonly instances: readonly {
    readonly instanceId: string;
    readonly fenced: boolean;
    readonly signal: PendingSignal | undefined;
    readonly queued: readonly QueuedSignal[];
  }[];
  /** Cut off by `bytesMax`: instances that are not in the answer, and those in it, may have more. */
  readonly more: boolean;
}

/**
 * Acknowledges the pending signal if it is of this type, and carries out what the lifecycle table says (a cancel ends the instance as
 * cancelled). `notPending`: none, or one of another type; nothing happens then. In a final status: acknowledged where one is pending, no
 * other effect.
 */
export interface AcknowledgeSignal extends FromInstance {
  readonly kind: "acknowledgeSignal";
  readonly signal: SignalType;
  readonly nowMs: number;
}
export type AcknowledgeSignalResult =
  | { readonly outcome: "acknowledged"; readonly status: InstanceStatus; readonly unsettled: boolean }
  | { readonly outcome: "notPending"; readonly pending: SignalType | undefined }
  | Fenced
  | UnknownInstance;

/**
 * Puts a signal into the instance's single slot and carries out what the lifecycle table says (a pending or plainly suspended instance is
 * cancelled at once; a suspended one that a worker can wake becomes claimable; see the table for pause and resume). A pending cancel is
 * kept: whatever is sent after it answers `cancelKept` and changes nothing, not even the cancel's payload. Refused in a final status.
 */
export interface SendSignal extends FromOperator {
  readonly kind: "sendSignal";
  readonly signal: SignalType;
  readonly payload?: Uint8Array;
  readonly nowMs: number;
}
export type SendSignalResult =
  | { readonly outcome: "sent" | "cancelKept"; readonly status: InstanceStatus; readonly unsettled: boolean }
  | Refused
  | UnknownInstance;

/**
 * `queued: false`: one slot per (instance, name) in any status; what waits there is replaced and gets a new id. `queued: true`: appended to
 * the queue of that name; a second one with the same `messageId` to the same instance is `duplicate`, for as long as the instance is kept;
 * refused in a final status. Both make an instance that is suspended as waiting for this name claimable at once. The id is drawn under the
 * lock of the instance's row, so ids of one instance commit in their order.
 */
export interface SendCustomSignal extends FromOperator {
  readonly kind: "sendCustomSignal";
  readonly name: string;
  readonly payload?: Uint8Array;
  readonly queued: boolean;
  readonly messageId?: string;
  readonly nowMs: number;
}
export type SendCustomSignalResult =
  | { readonly outcome: "sent" | "duplicate"; readonly signalId: number }
  | Refused
  | UnknownInstance;

/**
 * An operator's order, repeatable: in a final status, and where it is carried out already, it answers `done` and changes nothing.
 * cancel: as SendSignal(cancel) with the text's bytes as payload. kill: cancelled at once, reason killed, whatever its process does; its
 * epoch grows, so that process is fenced. pause: one that nobody runs is suspended as paused at once, a running one is asked. resume: a
 * suspended one becomes claimable at once, whatever it waits for; a pause that is not obeyed yet is answered by a resume signal.
 */
export interface ControlInstance extends FromOperator {
  readonly kind: "controlInstance";
  readonly order: "cancel" | "kill" | "pause" | "resume";
  readonly text?: string;
  readonly nowMs: number;
}
export type ControlInstanceResult =
  | { readonly outcome: "done"; readonly status: InstanceStatus; readonly unsettled: boolean }
  | UnknownInstance;
