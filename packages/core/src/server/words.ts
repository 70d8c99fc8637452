import { instance } from "@runtara/protocol";
import type { InstanceStatus, SignalType } from "@runtara/store";
import type { EventRequest } from "../life/index.ts";

// Numbers of the wire's open enums and the words that core and store use.

const { InstanceEventType, InstanceStatus: Status, SignalType: Signal } = instance;

const eventWords: Readonly<Record<number, EventRequest["type"]>> = {
  [InstanceEventType.EVENT_COMPLETED]: "completed",
  [InstanceEventType.EVENT_FAILED]: "failed",
  [InstanceEventType.EVENT_SUSPENDED]: "suspended",
  [InstanceEventType.EVENT_CUSTOM]: "custom",
};

/** Numbers that do not exist count as heartbeats, as in the original (spec 2.7). */
export function eventWord(number: number): EventRequest["type"] {
  return eventWords[number] ?? "heartbeat";
}

const signalWords: Readonly<Record<number, SignalType>> = {
  [Signal.SIGNAL_CANCEL]: "cancel",
  [Signal.SIGNAL_PAUSE]: "pause",
  [Signal.SIGNAL_RESUME]: "resume",
};

/** Undefined for a number that does not exist: it must not pass for CANCEL, the zero value. */
export function signalWord(number: number): SignalType | undefined {
  return signalWords[number];
}

export const signalNumbers: Readonly<Record<SignalType, instance.SignalType>> = {
  cancel: Signal.SIGNAL_CANCEL,
  pause: Signal.SIGNAL_PAUSE,
  resume: Signal.SIGNAL_RESUME,
};

/** The management protocol has the same numbers. */
export const statusNumbers: Readonly<Record<InstanceStatus | "unknown", instance.InstanceStatus>> = {
  unknown: Status.STATUS_UNKNOWN,
  pending: Status.STATUS_PENDING,
  running: Status.STATUS_RUNNING,
  suspended: Status.STATUS_SUSPENDED,
  completed: Status.STATUS_COMPLETED,
  failed: Status.STATUS_FAILED,
  cancelled: Status.STATUS_CANCELLED,
};

/** A 64-bit number of the wire as a plain one. What is beyond 2^53 - 1 becomes that: no id, epoch or time of ours is as large. */
export function whole(number: bigint): number {
  const { MAX_SAFE_INTEGER: max } = Number;
  return Math.min(Math.max(Number(number), -max), max);
}

export function wholeOf(number: bigint | undefined): number | undefined {
  return number === undefined ? undefined : whole(number);
}
