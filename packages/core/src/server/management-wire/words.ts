import { management } from "@runtara/protocol";
import { type InstanceStatus, instanceStatuses } from "@runtara/store";
import { limits } from "../../limits.ts";

const { InstanceStatus: Status } = management;

export const statusNumbers: Readonly<Record<InstanceStatus, management.InstanceStatus>> = {
  pending: Status.STATUS_PENDING,
  running: Status.STATUS_RUNNING,
  suspended: Status.STATUS_SUSPENDED,
  completed: Status.STATUS_COMPLETED,
  failed: Status.STATUS_FAILED,
  cancelled: Status.STATUS_CANCELLED,
};

/** Undefined for UNKNOWN and for numbers that do not exist. */
export function statusWord(number: number): InstanceStatus | undefined {
  return instanceStatuses.find((word) => statusNumbers[word] === number);
}

/** A bound of a filter. What lies outside of the calendar becomes its nearest end: no instance is older or younger than that. */
export function boundOf(timeMs: bigint): number {
  return Math.min(Math.max(Number(timeMs), limits.eventTimeMsMin), limits.eventTimeMsMax);
}

type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined | null> };

/** The fields that have a value. */
export function present<T extends object>(fields: T): Present<T> {
  const found = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(found) as Present<T>;
}
