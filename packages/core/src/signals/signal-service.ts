import type { CustomSignal, PendingSignal, SignalType, Store } from "@runtara/store";
import { type Answer, onResult } from "../answer.ts";
import { CoreError } from "../core-error.ts";
import { caller, type OwnCall, refusal } from "../refusals.ts";
import { isStorableId } from "../validation.ts";

export interface PollSignalsRequest extends OwnCall {
  readonly checkpointId?: string | undefined;
}
export interface PollSignalsResponse {
  readonly signal: PendingSignal | undefined;
  readonly custom: CustomSignal | undefined;
}

export interface AcknowledgeRequest extends OwnCall {
  /** Undefined: a type this protocol does not have. */
  readonly signal: SignalType | undefined;
  readonly acknowledged: boolean;
}

const nothing: PollSignalsResponse = { signal: undefined, custom: undefined };

/** Signals from the instance's side (spec 2.9); operators send them (`OperatorControl`). */
export class SignalService {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #onUnsettled: () => void;

  /** `onUnsettled`: an end has effects on other instances that are to be carried out now. */
  constructor(store: Store, now: () => number, onUnsettled: () => void) {
    this.#store = store;
    this.#now = now;
    this.#onUnsettled = onUnsettled;
  }

  /** The instance's signal stays until acknowledged; a custom one is gone with the transaction that answers. */
  poll(request: PollSignalsRequest, answer: Answer<PollSignalsResponse>): void {
    const { instanceId, checkpointId } = request;
    if (!isStorableId(instanceId)) {
      answer(undefined, nothing);
      return;
    }
    // No signal can wait under an id that cannot be stored.
    const takes = checkpointId !== undefined && isStorableId(checkpointId);
    this.#store.submit(
      { kind: "pollSignals", ...caller(request), ...(takes ? { checkpointId } : {}), nowMs: this.#now() },
      onResult(answer, (result) => {
        switch (result.outcome) {
          case "polled":
            return answer(undefined, { signal: result.signal, custom: result.custom });
          case "unknownInstance":
            return answer(undefined, nothing);
          case "fenced":
            return answer(refusal(request, result), undefined);
        }
      }),
    );
  }

  /**
   * Acknowledges the pending signal. `acknowledged: false`, a signal that is not the pending one, and a type that does not exist
   * change nothing; the last two are errors for the log. Answers whether the instance has ended with it.
   */
  acknowledge(request: AcknowledgeRequest, answer: Answer<Acknowledged>): void {
    const { instanceId, signal, acknowledged } = request;
    if (!acknowledged) {
      answer(undefined, stillThere);
      return;
    }
    if (signal === undefined) {
      answer(CoreError.validation("signal_type", "signal_type must be CANCEL, PAUSE or RESUME"), undefined);
      return;
    }
    if (!isStorableId(instanceId)) {
      answer(CoreError.instanceNotFound(instanceId), undefined);
      return;
    }
    this.#store.submit(
      { kind: "acknowledgeSignal", ...caller(request), signal, nowMs: this.#now() },
      onResult(answer, (result) => {
        switch (result.outcome) {
          case "acknowledged":
            answer(undefined, { ended: result.status === "cancelled" });
            if (result.unsettled) this.#onUnsettled();
            return;
          case "notPending":
            if (result.pending === undefined) return answer(undefined, stillThere);
            return answer(
              CoreError.validation("signal_type", `${signal} was acknowledged while ${result.pending} is pending`),
              undefined,
            );
          default:
            return answer(refusal(request, result), undefined);
        }
      }),
    );
  }
}

export interface Acknowledged {
  readonly ended: boolean;
}
const stillThere: Acknowledged = { ended: false };
