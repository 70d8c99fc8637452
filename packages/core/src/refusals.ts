import type { Fenced, Refused, UnknownInstance } from "@runtara/store";
import { CoreError } from "./core-error.ts";

/** A call of an instance's own process. `epoch`: see FromInstance of the store. */
export interface OwnCall {
  readonly instanceId: string;
  readonly epoch?: number | undefined;
}

/** The members that name the caller to the store. */
export function caller({ instanceId, epoch }: OwnCall): { readonly instanceId: string; readonly epoch?: number } {
  return epoch === undefined ? { instanceId } : { instanceId, epoch };
}

/** Why a store changed nothing, in the words of the protocol. */
export function refusal({ instanceId, epoch }: OwnCall, result: UnknownInstance | Refused | Fenced): CoreError {
  switch (result.outcome) {
    case "unknownInstance":
      return CoreError.instanceNotFound(instanceId);
    case "refused":
      return CoreError.invalidState(instanceId, "running", result.status);
    case "fenced":
      return CoreError.fenced(instanceId, result.epoch, epoch);
  }
}
