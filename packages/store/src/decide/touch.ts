import type { TouchInstances } from "../operations/registration.ts";
import type { Changes } from "./changes.ts";
import { Draft } from "./draft.ts";
import { fencedBy } from "./guard.ts";
import type { InstanceRow } from "./row.ts";

/** Judges one row of a TouchInstances; undefined = nothing to note. */
export function decideTouch(seen: TouchInstances["seen"][number], row: InstanceRow | undefined): Changes | undefined {
  if (row === undefined || fencedBy(seen, row) !== undefined) return undefined;
  const draft = new Draft(row, seen.atMs);
  draft.touch();
  return draft.done();
}
