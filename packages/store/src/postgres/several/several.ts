import type { Notice } from "../../store.ts";
import type { AnyResult } from "../decide-step.ts";
import type { InstanceChanges } from "../rows/write-rows.ts";

/** What an operation of several instances has answered and written. */
export interface SeveralDone<Result extends AnyResult> {
  readonly result: Result;
  readonly written: readonly InstanceChanges[];
  /** What else listeners are to be told. */
  readonly notices?: readonly Notice[];
}
