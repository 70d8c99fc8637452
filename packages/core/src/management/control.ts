import type { InstanceStatus, SignalType, Store } from "@runtara/store";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { invalidBytes, invalidId, invalidText, isStorableId, unstorableId } from "../validation.ts";
import { ask, refuse } from "./ask.ts";
import type { InstanceRef } from "./instances.ts";

export type Order = "cancel" | "kill" | "pause" | "resume";

export interface NamedSignal extends InstanceRef {
  readonly name: string;
  readonly payload: Uint8Array;
  /** Behind those sent before it, instead of in the one slot of this name. */
  readonly queued: boolean;
  /** With `queued`: a second one with this id is passed over. */
  readonly messageId?: string;
}

/** What an operator may do to an instance. */
export class OperatorControl {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #onUnsettled: () => void;

  /** `onUnsettled`: an instance has ended whose end concerns others (parent, children). */
  constructor(store: Store, now: () => number, onUnsettled: () => void) {
    this.#store = store;
    this.#now = now;
    this.#onUnsettled = onUnsettled;
  }

  /**
   * Puts a signal into the single slot of an instance that has not ended. A pending cancel stays whatever comes after it.
   *
   * @throws CoreError INSTANCE_NOT_FOUND, INVALID_INSTANCE_STATE (spec 2.11), VALUE_TOO_LARGE
   */
  async sendSignal({
    payload,
    ...request
  }: InstanceRef & { readonly signal: SignalType; readonly payload: Uint8Array }): Promise<void> {
    refuse(invalidBytes("payload", payload, limits.payloadBytesMax));
    const result = await ask(this.#store, { kind: "sendSignal", ...request, ...bytes(payload), nowMs: this.#now() });
    if (result.outcome === "unknownInstance") throw CoreError.instanceNotFound(request.instanceId);
    if (result.outcome === "refused") throw ended(result.status);
    if (result.unsettled) this.#onUnsettled();
  }

  /**
   * Sends a signal under a name: into its slot, whatever the instance's status, or behind those that wait.
   *
   * @throws CoreError INSTANCE_NOT_FOUND, VALIDATION_ERROR, VALUE_TOO_LARGE, OVERLOADED (the queue is full), and for a queued one
   *   INVALID_INSTANCE_STATE
   */
  async sendNamedSignal({ payload, messageId, ...request }: NamedSignal): Promise<void> {
    const { name, queued } = request;
    // The text is that of spec 2.11.
    if (name === "") throw new CoreError("VALIDATION_ERROR", "checkpoint_id is required");
    if (!isStorableId(name)) throw unstorableId("checkpoint_id", name);
    if (queued && name.endsWith(resultSuffix)) throw reserved(name);
    if (messageId !== undefined) refuse(invalidId("message_id", messageId));
    refuse(invalidBytes("payload", payload, limits.payloadBytesMax));
    const id = queued && messageId !== undefined ? { messageId } : {};
    const operation = { kind: "sendCustomSignal", ...request, ...id, ...bytes(payload), nowMs: this.#now() } as const;
    const result = await ask(this.#store, operation);
    if (result.outcome === "unknownInstance") throw CoreError.instanceNotFound(request.instanceId);
    if (result.outcome === "refused") throw ended(result.status);
  }

  /**
   * Carries an order out, or asks the instance to; repeatable. Answers the status after it.
   *
   * @throws CoreError INSTANCE_NOT_FOUND, VALIDATION_ERROR, VALUE_TOO_LARGE
   */
  async order(order: Order, ref: InstanceRef, reason = ""): Promise<InstanceStatus> {
    refuse(invalidText("reason", reason));
    refuse(invalidBytes("reason", Buffer.from(reason), limits.reasonBytesMax));
    const text = reason === "" ? {} : { text: reason };
    const result = await ask(this.#store, { kind: "controlInstance", ...ref, order, ...text, nowMs: this.#now() });
    if (result.outcome === "unknownInstance") throw CoreError.instanceNotFound(ref.instanceId);
    if (result.unsettled) this.#onUnsettled();
    return result.status;
  }
}

/** Under such names the ends of children come: nobody else may send one. In slots, which are 1.4.1's, names are free. */
const resultSuffix = "!result";

function reserved(name: string): CoreError {
  const text = `'${name}' is a name of a child's result: choose one that does not end in ${resultSuffix}`;
  return CoreError.validation("checkpoint_id", text);
}

function ended(status: InstanceStatus): CoreError {
  return new CoreError(
    "INVALID_INSTANCE_STATE",
    `Cannot send signal to instance in '${status}' state (terminal state)`,
  );
}

function bytes(payload: Uint8Array): { readonly payload?: Uint8Array } {
  return payload.byteLength === 0 ? {} : { payload };
}
