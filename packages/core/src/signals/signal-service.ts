import type { CustomSignal, PendingSignal, SignalType, Store } from "@runtara/store";
import { type Answer, onResult } from "../answer.ts";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { caller, type OwnCall, refusal } from "../refusals.ts";
import { invalidBytes, invalidId, isStorableId } from "../validation.ts";

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

export interface SendSignalRequest {
  readonly instanceId: string;
  readonly signal: SignalType;
  readonly payload: Uint8Array;
}
export interface SendCustomSignalRequest {
  readonly instanceId: string;
  readonly checkpointId: string;
  readonly payload: Uint8Array;
}

const nothing: PollSignalsResponse = { signal: undefined, custom: undefined };

/** Signals from the instance's side (spec 2.9), and in their plain form from the sender's (spec 2.11). */
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

  /** Puts a signal into the single slot of an instance that has not ended. A pending cancel stays whatever comes after it. */
  send({ instanceId, signal, payload }: SendSignalRequest, answer: Answer<void>): void {
    const tooLarge = invalidBytes("payload", payload, limits.payloadBytesMax);
    if (tooLarge !== undefined) {
      answer(tooLarge, undefined);
      return;
    }
    if (!isStorableId(instanceId)) {
      answer(CoreError.instanceNotFound(instanceId), undefined);
      return;
    }
    this.#store.submit(
      { kind: "sendSignal", instanceId, signal, ...bytes(payload), nowMs: this.#now() },
      onResult(answer, (result) => {
        if (result.outcome === "unknownInstance") return answer(CoreError.instanceNotFound(instanceId), undefined);
        if (result.outcome === "refused") {
          const message = `Cannot send signal to instance in '${result.status}' state (terminal state)`;
          return answer(new CoreError("INVALID_INSTANCE_STATE", message), undefined);
        }
        answer(undefined, undefined);
        if (result.unsettled) this.#onUnsettled();
      }),
    );
  }

  /** Puts a signal for one checkpoint id, whatever the instance's status; one that waits there is replaced. */
  sendCustom({ instanceId, checkpointId, payload }: SendCustomSignalRequest, answer: Answer<void>): void {
    const invalid =
      invalidId("checkpoint_id", checkpointId) ?? invalidBytes("payload", payload, limits.payloadBytesMax);
    if (invalid !== undefined) {
      answer(invalid, undefined);
      return;
    }
    if (!isStorableId(instanceId)) {
      answer(CoreError.instanceNotFound(instanceId), undefined);
      return;
    }
    this.#store.submit(
      {
        kind: "sendCustomSignal",
        instanceId,
        name: checkpointId,
        ...bytes(payload),
        queued: false,
        nowMs: this.#now(),
      },
      onResult(answer, (result) => {
        switch (result.outcome) {
          case "sent":
          case "duplicate":
            return answer(undefined, undefined);
          default:
            return answer(refusal({ instanceId }, result), undefined);
        }
      }),
    );
  }
}

export interface Acknowledged {
  readonly ended: boolean;
}
const stillThere: Acknowledged = { ended: false };

function bytes(payload: Uint8Array): { readonly payload?: Uint8Array } {
  return payload.byteLength === 0 ? {} : { payload };
}
