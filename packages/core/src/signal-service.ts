import type { Store } from "@runtara/store";
import { type Answer, onResult } from "./answer.ts";
import { CoreError } from "./core-error.ts";
import type {
  AcknowledgeRequest,
  PollSignalsRequest,
  PollSignalsResponse,
  SendCustomSignalRequest,
  SendSignalRequest,
} from "./requests.ts";
import { acceptingStatuses, transitionsOf, transitionsWith } from "./state-machine.ts";
import { isStorableId, unstorableId } from "./validation.ts";

const nothing: PollSignalsResponse = { signal: undefined, custom: undefined };
const acceptsSignals = acceptingStatuses("requestSignal");
const onCancelRequest = transitionsOf("requestCancel");
const onCancelAcknowledged = transitionsOf("acknowledgeCancel");

/** Signals from the instance's side (spec 2.9) and from the sender's (spec 2.11). */
export class SignalService {
  readonly #store: Store;
  readonly #now: () => number;

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** The instance's signal stays until acknowledged; a custom one is gone with the transaction that answers. */
  poll({ instanceId, checkpointId }: PollSignalsRequest, answer: Answer<PollSignalsResponse>): void {
    const checkpoint = checkpointId === undefined ? {} : { checkpointId };
    this.#store.submit(
      { kind: "pollSignals", instanceId, ...checkpoint },
      onResult(answer, (result) => {
        if (result.outcome === "unknownInstance") return answer(undefined, nothing);
        answer(undefined, { signal: result.signal, custom: result.custom });
      }),
    );
  }

  /**
   * Acknowledges the pending signal. `acknowledged: false`, a signal that is not the pending one, and a type that does not exist
   * change nothing; the last two are errors for the log.
   */
  acknowledge({ instanceId, signal, acknowledged }: AcknowledgeRequest, answer: Answer<void>): void {
    if (!acknowledged) {
      answer(undefined, undefined);
      return;
    }
    if (signal === undefined) {
      answer(CoreError.validation("signal_type", "signal_type must be CANCEL, PAUSE or RESUME"), undefined);
      return;
    }
    const nowMs = this.#now();
    const transitions = signal === "cancel" ? transitionsWith(onCancelAcknowledged, nowMs) : [];
    this.#store.submit(
      { kind: "acknowledgeSignal", instanceId, signal, transitions, nowMs },
      onResult(answer, (result) => {
        if (result.outcome === "unknownInstance") return answer(CoreError.instanceNotFound(instanceId), undefined);
        if (result.outcome === "notPending" && result.pending !== undefined) {
          const message = `${signal} was acknowledged while ${result.pending} is pending`;
          return answer(CoreError.validation("signal_type", message), undefined);
        }
        answer(undefined, undefined);
      }),
    );
  }

  /** Puts a signal into the single slot of an instance that has not ended. A pending cancel stays whatever comes after it. */
  send({ instanceId, signal, payload }: SendSignalRequest, answer: Answer<void>): void {
    const nowMs = this.#now();
    const transitions = signal === "cancel" ? transitionsWith(onCancelRequest, nowMs) : [];
    this.#store.submit(
      { kind: "sendSignal", instanceId, signal, ...bytes(payload), allowedIn: acceptsSignals, transitions, nowMs },
      onResult(answer, (result) => {
        if (result.outcome === "unknownInstance") return answer(CoreError.instanceNotFound(instanceId), undefined);
        if (result.outcome === "refused") {
          const message = `Cannot send signal to instance in '${result.status}' state (terminal state)`;
          return answer(new CoreError("INVALID_INSTANCE_STATE", message), undefined);
        }
        answer(undefined, undefined);
      }),
    );
  }

  /** Puts a signal for one checkpoint id, whatever the instance's status; one that waits there is replaced. */
  sendCustom({ instanceId, checkpointId, payload }: SendCustomSignalRequest, answer: Answer<void>): void {
    if (checkpointId === "") {
      answer(CoreError.validation("checkpoint_id", "checkpoint_id is required"), undefined);
      return;
    }
    if (!isStorableId(checkpointId)) {
      answer(unstorableId("checkpoint_id", checkpointId), undefined);
      return;
    }
    this.#store.submit(
      { kind: "sendCustomSignal", instanceId, checkpointId, ...bytes(payload), nowMs: this.#now() },
      onResult(answer, (result) => {
        if (result.outcome === "unknownInstance") return answer(CoreError.instanceNotFound(instanceId), undefined);
        answer(undefined, undefined);
      }),
    );
  }
}

function bytes(payload: Uint8Array): { readonly payload?: Uint8Array } {
  return payload.byteLength === 0 ? {} : { payload };
}
