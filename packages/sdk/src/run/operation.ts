import { CancelledError } from "../errors.ts";
import type { EntryKind } from "./entries.ts";
import type { OperationLike } from "./host.ts";
import type { Source } from "./source.ts";

const ignore = (): void => {};

/** One durable call: a promise, and what has to happen for it once the run is live. */
export abstract class Operation implements OperationLike {
  readonly id: string;
  readonly kind: EntryKind;
  readonly name: string;
  readonly source: Source;
  readonly promise: Promise<unknown>;
  isSettled = false;
  /** Called outside a durable turn. */
  isForeign = false;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;

  constructor(id: string, kind: EntryKind, name: string, source: Source) {
    this.id = id;
    this.kind = kind;
    this.name = name;
    this.source = source;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Runs the body or arms the timer. Called once, in a live run. */
  abstract start(): void;

  abstract readonly isWait: boolean;

  /** Those without a body have nothing to stop. */
  cancel(_reason: CancelledError): void {}

  settle(outcome: "value" | "error", value: unknown): void {
    if (this.isSettled) return;
    this.isSettled = true;
    if (outcome === "value") {
      this.#resolve(value);
      return;
    }
    // The loser of a race has nobody who listens; that is no fault of the workflow.
    this.promise.catch(ignore);
    this.#reject(value);
  }

  /** Ends the waiting of the caller: what may come later goes to nobody. */
  withdraw(reason: string): void {
    this.settle("error", new CancelledError(reason));
  }
}
