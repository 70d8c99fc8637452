import { acceptingStatuses } from "../lifecycle/transition.ts";
import type { Fenced, FromInstance, FromOperator, Refused, UnknownInstance } from "../operations/refusals.ts";
import type { InstanceRow } from "./row.ts";

export const unknownInstance: UnknownInstance = { outcome: "unknownInstance" };

/** The epoch that the operation carries is not the present one. */
export function fencedBy(operation: FromInstance, row: InstanceRow): Fenced | undefined {
  return operation.epoch === undefined || operation.epoch === row.epoch
    ? undefined
    : { outcome: "fenced", epoch: row.epoch };
}

const savingStatuses = new Set(acceptingStatuses("save"));

/** Why a process may not save: its epoch first, then the status. Undefined = it may. */
export function refusalOf(operation: FromInstance, row: InstanceRow): Fenced | Refused | undefined {
  const fenced = fencedBy(operation, row);
  if (fenced !== undefined) return fenced;
  return savingStatuses.has(row.status) ? undefined : { outcome: "refused", status: row.status };
}

/** The row as an operator sees it: another tenant's instance does not exist. */
export function seenBy(operation: FromOperator, row: InstanceRow | undefined): InstanceRow | undefined {
  return row === undefined || operation.tenantId === undefined || operation.tenantId === row.tenantId ? row : undefined;
}
