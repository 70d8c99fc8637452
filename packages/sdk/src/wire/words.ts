import { instance } from "@runtara/protocol";

// Numbers of the wire's open enums, and our words for them.

export type SignalType = "cancel" | "pause" | "resume";
export type Status = "pending" | "running" | "suspended" | "completed" | "failed" | "cancelled";

const { InstanceStatus, SignalType: Signals } = instance;

const statusWords: Readonly<Record<number, Status>> = {
  [InstanceStatus.STATUS_PENDING]: "pending",
  [InstanceStatus.STATUS_RUNNING]: "running",
  [InstanceStatus.STATUS_SUSPENDED]: "suspended",
  [InstanceStatus.STATUS_COMPLETED]: "completed",
  [InstanceStatus.STATUS_FAILED]: "failed",
  [InstanceStatus.STATUS_CANCELLED]: "cancelled",
};

/** The management protocol has the same numbers. */
export const statusNumbers: Readonly<Record<Status, instance.InstanceStatus>> = {
  pending: InstanceStatus.STATUS_PENDING,
  running: InstanceStatus.STATUS_RUNNING,
  suspended: InstanceStatus.STATUS_SUSPENDED,
  completed: InstanceStatus.STATUS_COMPLETED,
  failed: InstanceStatus.STATUS_FAILED,
  cancelled: InstanceStatus.STATUS_CANCELLED,
};

export function statusWord(number: number): Status | "unknown" {
  return statusWords[number] ?? "unknown";
}

/** A number that does not exist counts as cancel, as with 1.4.1 (spec 10.3). */
export function signalWord(number: number): SignalType {
  if (number === Signals.SIGNAL_PAUSE) return "pause";
  return number === Signals.SIGNAL_RESUME ? "resume" : "cancel";
}

export const signalNumbers: Readonly<Record<SignalType, instance.SignalType>> = {
  cancel: Signals.SIGNAL_CANCEL,
  pause: Signals.SIGNAL_PAUSE,
  resume: Signals.SIGNAL_RESUME,
};
