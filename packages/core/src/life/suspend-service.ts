import type { PendingSignal, QueuedSignal, SignalType, Store } from "@runtara/store";
import { type Answer, onResult } from "../answer.ts";
import type { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { refusal } from "../refusals.ts";
import { invalidNames } from "../signals/names.ts";
import { invalidId, invalidTime } from "../validation.ts";

export interface SuspendUntilRequest {
  readonly instanceId: string;
  readonly epoch: number;
  /** By the server's clock; undefined = no time. */
  readonly untilMs?: number | undefined;
  readonly names: readonly string[];
  /** The signal that the history has already. */
  readonly recordedSignal?: SignalType | undefined;
  readonly afterSignalId: number;
}
export type SuspendUntilResponse =
  | { readonly suspended: true }
  | { readonly suspended: false; readonly signal: PendingSignal | undefined; readonly queued: readonly QueuedSignal[] };

/** Ends the hold of a process until something happens (spec 3.4, 6.3 in a form that loses no wake-up). */
export class SuspendService {
  readonly #store: Store;
  readonly #now: () => number;

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** May be repeated. */
  suspendUntil(request: SuspendUntilRequest, answer: Answer<SuspendUntilResponse>): void {
    const invalid = invalidSuspension(request);
    if (invalid !== undefined) {
      answer(invalid, undefined);
      return;
    }
    const { instanceId, epoch, untilMs, names, recordedSignal, afterSignalId } = request;
    this.#store.submit(
      {
        kind: "suspendUntil",
        instanceId,
        epoch,
        ...(untilMs === undefined ? {} : { untilMs }),
        names,
        ...(recordedSignal === undefined ? {} : { recordedSignal }),
        afterSignalId,
        bytesMax: limits.signalAnswerBytesMax,
        nowMs: this.#now(),
      },
      onResult(answer, (result) => {
        switch (result.outcome) {
          case "suspended":
            return answer(undefined, { suspended: true });
          case "notYet": {
            const { signal, queued } = result;
            return answer(undefined, { suspended: false, signal, queued });
          }
          default:
            return answer(refusal(request, result), undefined);
        }
      }),
    );
  }
}

function invalidSuspension({ instanceId, untilMs, names }: SuspendUntilRequest): CoreError | undefined {
  return invalidId("instance_id", instanceId) ?? invalidTime("until_ms", untilMs) ?? invalidNames(names);
}
