import type { InstanceStatus } from "../model.ts";

// Why an operation changed nothing. Refusals are results, not errors: a StoreError means that the store itself failed.

/** There is no such instance, or `tenantId` was given and it is another's. */
export interface UnknownInstance {
  readonly outcome: "unknownInstance";
}

/** The lifecycle table does not allow it in this status. */
export interface Refused {
  readonly outcome: "refused";
  readonly status: InstanceStatus;
}

/**
 * `epoch` was given and is not the instance's. Compared under the lock of the instance's row, in the transaction that would have
 * written, so it holds across processes. Checked after UnknownInstance and before everything else.
 */
export interface Fenced {
  readonly outcome: "fenced";
  /** The instance's present epoch. */
  readonly epoch: number;
}

/** A cursor that this store did not make. */
export interface BadCursor {
  readonly outcome: "badCursor";
}

/**
 * Operations of an instance's own process. `epoch` is the one of its registration: the one that the request carries, else the one that
 * its connection got when it registered (core's stamp); absent = a connection that never registered, which is never fenced.
 */
export interface FromInstance {
  readonly instanceId: string;
  readonly epoch?: number;
}

/** Operations of an operator. With `tenantId` an instance of another tenant counts as one that does not exist. */
export interface FromOperator {
  readonly instanceId: string;
  readonly tenantId?: string;
}
