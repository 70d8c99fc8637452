import type { AnyDone } from "../engines/callbacks.ts";
import type { Operation } from "../operations/index.ts";

/** An operation that has been taken in. */
export interface Submitted {
  readonly operation: Operation;
  readonly done: AnyDone;
}
