import type { StepContext } from "../api/step.ts";
import { CancelledError } from "../errors.ts";
import { uuidOf } from "../hash.ts";
import type { StepOperation } from "./operations/step.ts";

/** One attempt of a step. Key and signal are made when they are read. */
export class Attempt implements StepContext {
  readonly attempt: number;
  readonly #operation: StepOperation;
  #controller: AbortController | undefined;
  #abortReason: Error | undefined;

  constructor(operation: StepOperation, attempt: number) {
    this.#operation = operation;
    this.attempt = attempt;
  }

  get name(): string {
    return this.#operation.name;
  }

  get checkpointId(): string {
    return this.#operation.id;
  }

  get idempotencyKey(): string {
    const { tenantId, instanceId, run } = this.#operation.host.facts;
    return uuidOf(JSON.stringify([tenantId, instanceId, run, this.#operation.id]));
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#abortReason) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  heartbeat(): void {
    if (this.#abortReason instanceof CancelledError) throw this.#abortReason;
    this.#operation.host.heartbeat();
  }

  /** Tells the body to stop; the first reason stays. */
  abort(reason: Error): void {
    if (this.#abortReason) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  /** Its effect is not needed any more: the instance was cancelled, or has failed. */
  get isToldToStop(): boolean {
    return this.#abortReason instanceof CancelledError;
  }

  /** True when what the body threw comes from having been told to stop. */
  isEndedByCancel(error: unknown): boolean {
    if (!this.isToldToStop) return false;
    return error === this.#abortReason || (error instanceof Error && error.name === "AbortError");
  }
}
