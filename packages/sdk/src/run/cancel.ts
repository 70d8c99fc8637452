import { CancelledError } from "../errors.ts";

/** The id of the entry that a cancel becomes. */
export const cancelId = "!cancel";

/** How far the cancel of a run has come. It happens once; afterwards durable calls work again. */
export class Cancellation {
  #isAsked = false;
  #isDelivered = false;
  #isOwed = false;
  readonly controller: AbortController = new AbortController();

  /** True once the `!cancel` entry was delivered. */
  get isDelivered(): boolean {
    return this.#isDelivered;
  }

  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** Somebody wants the instance cancelled. True the first time, when the entry has to be written. */
  ask(): boolean {
    const first = !this.#isAsked;
    this.#isAsked = true;
    return first;
  }

  /** The entry has its turn. `rejectedWaits`: how many callers were told by it; if none, the next durable call is. */
  deliver(error: CancelledError, rejectedWaits: number): void {
    this.#isAsked = true;
    this.#isDelivered = true;
    this.#isOwed = rejectedWaits === 0;
    this.controller.abort(error);
  }

  /** A step has ended as CancelledError: somebody was told. */
  settle(): void {
    this.#isOwed = false;
  }

  /** The error that this durable call has to end in, if nobody was told before. */
  collect(): CancelledError | undefined {
    if (!this.#isOwed) return undefined;
    this.#isOwed = false;
    return new CancelledError("the instance was cancelled");
  }
}
