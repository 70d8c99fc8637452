import { type InstanceStatus, instanceStatuses } from "@runtara/store";
import { limits } from "../../limits.ts";
import { statusNumbers } from "../words.ts";

/** Undefined for UNKNOWN and for numbers that do not exist. */
export function statusWord(number: number): InstanceStatus | undefined {
  return instanceStatuses.find((word) => statusNumbers[word] === number);
}

interface CreatedBetween {
  readonly createdAfterMs?: bigint | undefined;
  readonly createdBeforeMs?: bigint | undefined;
}

/** The bounds of a filter. What lies outside of the calendar becomes its nearest end: nothing is older or younger than that. */
export function boundsOf({ createdAfterMs, createdBeforeMs }: CreatedBetween): {
  readonly createdAfterMs?: number;
  readonly createdBeforeMs?: number;
} {
  return present({ createdAfterMs: inCalendar(createdAfterMs), createdBeforeMs: inCalendar(createdBeforeMs) });
}

function inCalendar(timeMs: bigint | undefined): number | undefined {
  if (timeMs === undefined) return undefined;
  return Math.min(Math.max(Number(timeMs), limits.eventTimeMsMin), limits.eventTimeMsMax);
}

type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined | null> };

/** The fields that have a value. */
export function present<T extends object>(fields: T): Present<T> {
  const found = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(found) as Present<T>;
}
