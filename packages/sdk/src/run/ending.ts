import { Continuation } from "./continuation.ts";
import type { RunEnd } from "./control.ts";
import type { Delivery } from "./delivery.ts";
import type { InboxPart } from "./host.ts";
import { nameOfId } from "./keys.ts";
import { type BodyResult, endOf } from "./run-end.ts";

/** What is known about the end of a run while it comes. */
export class Ending {
  readonly #inbox: InboxPart;
  /** Signals whose turn came after the end of the function. */
  readonly #leftOver: { readonly name: string; readonly value: unknown }[] = [];
  #hasContinuation = false;
  #nextAt: number | undefined;

  constructor(inbox: InboxPart) {
    this.#inbox = inbox;
  }

  /** `continueAsNew` was called. */
  continuation(input: unknown): Continuation {
    this.#hasContinuation = true;
    return new Continuation(input);
  }

  /** The entry that begins the next run is in the history. */
  get isRecorded(): boolean {
    return this.#nextAt !== undefined;
  }

  /** An entry whose turn comes after the end of the function: nobody is left to be told, but the next run. */
  pass({ id, at, kind, outcome, value }: Delivery): void {
    if (kind === "next") this.#nextAt = at;
    if (kind === "signal" && outcome === "value") this.#leftOver.push({ name: nameOfId(id), value });
  }

  endOf(result: BodyResult, workflow: string, isCancelled: boolean, now: number): RunEnd {
    return endOf(result, {
      workflow,
      isCancelled,
      hasContinuation: this.#hasContinuation,
      inbox: [...this.#inbox.contents, ...this.#leftOver],
      at: this.#nextAt ?? now,
    });
  }
}
