import type { InstanceStatus, SignalType, StatusReason } from "../model.ts";

/** What can happen to an instance. Plain words; who does it is in the diagram. */
export const lifecycleEvents = [
  "register",
  "claim",
  "save",
  "complete",
  "fail",
  "suspend",
  "suspendPaused",
  "suspendDiverged",
  "suspendSleeping",
  "suspendWaiting",
  "acknowledgeCancel",
  "acknowledgePause",
  "acknowledgeResume",
  "requestCancel",
  "requestPause",
  "requestResume",
  "signalArrived",
  "kill",
  "timeOut",
  "loseTrack",
  "leaseEnded",
  "release",
] as const;
export type LifecycleEvent = (typeof lifecycleEvents)[number];

/** What of an instance decides. */
export interface LifecycleState {
  readonly status: InstanceStatus;
  readonly reason: StatusReason | null;
  /** It has a workflow name, so a worker can wake it. */
  readonly claimable: boolean;
  /** The signal that is not acknowledged. */
  readonly pending: SignalType | null;
  /** Its history has that signal already (SuspendUntil's recordedSignal). */
  readonly recorded: boolean;
}

/** What a change brings beside status and reason. They are carried out in the order in which a line names them. */
export type LifecycleEffect =
  /** What is left of an earlier life is cleared; epoch + 1; started_at; a new holder or none; event `started`. */
  | "begin"
  /** Holder, ready time, due time and names gone, unless a later effect sets them; running time is added up. */
  | "letGo"
  /** finished_at; sleeps forgotten; unsettled if it has a parent to tell or children to cancel. */
  | "end"
  /** The pending signal counts as acknowledged. */
  | "acknowledge"
  /** The signal becomes the pending one. */
  | "slot"
  /** Ready now, or after the delay that came with it, unless it has been ready before. */
  | "ready"
  /** Ready time = the time, names = the names that it asked for. */
  | "arm"
  /** epoch + 1 without a start: its process is fenced. */
  | "fence"
  /** An event row of the status, subtype = reason, written by the server. */
  | "note";

/** A change, resolved for one state. Status and reason may be those that it had. */
export interface Move {
  readonly to: InstanceStatus;
  readonly reason: StatusReason | null;
  readonly effects: readonly LifecycleEffect[];
}

/** Accepted: where it leads. Refused: told to the caller. Ignored: answered as done, nothing changes. */
export type Outcome = Move | "refused" | "ignored";

/** One line of the table; what is left out fits anything. The first line that fits counts. */
export interface Rule {
  readonly on: LifecycleEvent;
  readonly from: readonly InstanceStatus[];
  readonly reasons?: readonly (StatusReason | null)[];
  readonly claimable?: boolean;
  readonly pending?: readonly (SignalType | null)[];
  readonly recorded?: boolean;
  /** "same": status and reason stay. */
  readonly outcome: Outcome | { readonly to: "same"; readonly effects: readonly LifecycleEffect[] };
}
