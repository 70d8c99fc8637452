import { isFinal } from "../lifecycle/transition.ts";
import type { RemoveOld } from "../operations/retention.ts";
import type { RemovableFacts } from "./facts.ts";
import type { InstanceRow } from "./row.ts";

/**
 * What retention may do with one instance. `rows`: old checkpoints, retry records and events of it may go. `instance`: so may the rest, once
 * those are gone, whatever their age.
 */
export function removable(
  { instancesEndedBeforeMs }: RemoveOld,
  row: InstanceRow,
  { hasOpenChild }: RemovableFacts,
): { readonly rows: boolean; readonly instance: boolean } {
  const rows = isFinal(row.status) && !row.unsettled && !hasOpenChild;
  const endedAtMs = row.finishedAtMs ?? row.createdAtMs;
  return { rows, instance: rows && instancesEndedBeforeMs !== undefined && endedAtMs < instancesEndedBeforeMs };
}
