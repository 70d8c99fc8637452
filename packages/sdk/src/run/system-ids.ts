// Ids of entries that no call of the workflow makes. From the second run on they have the run's prefix, like all ids.

import { runPrefix } from "./keys.ts";

/** What an instance was started with. One per instance. */
export const startId = "!start";

export function cancelIdOf(run: number): string {
  return `${runPrefix(run)}!cancel`;
}

/** The entry that ends a run by beginning the next. */
export function nextIdOf(run: number): string {
  return `${runPrefix(run)}!next`;
}
