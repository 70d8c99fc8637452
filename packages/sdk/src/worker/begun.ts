import type { InstanceSession, InstanceSignals, OpenPoll, WaitSignalsRequest } from "../ports/source.ts";
import type { RuntimeParts } from "../runtime/runtime.ts";
import type { Outcome } from "./outcome.ts";

/** A registered instance, ready to be run. */
export interface Begun {
  readonly session: InstanceSession;
  /** An earlier process has stored entries. */
  readonly isResumed: boolean;
  /** The checkpoint that was saved last, where that is known. */
  readonly newestId: string | undefined;
  waitSignals(request: WaitSignalsRequest): OpenPoll<readonly InstanceSignals[]>;
  readonly sparse?: RuntimeParts["sparse"];
}

/** Or there is nothing to run. */
export type Beginning = Begun | { readonly outcome: Outcome };
