import { Operation } from "./operation.ts";
import type { Source } from "./source.ts";
import type { Clock, Timers } from "./timers.ts";

/** Settles like a promise. `cancel()`, or leaving a `using` block, disarms it: it rejects with CancelledError, which is no unhandled
 *  rejection. After it has settled, cancelling does nothing. */
export interface Wait<T> extends Promise<T>, Disposable {
  cancel(): void;
}

/** What a sleep needs of its run. */
export interface SleepHost {
  readonly clock: Clock;
  readonly timers: Timers;
  complete(operation: Operation, outcome: "value" | "error", text: string | undefined, value: unknown): void;
  withdraw(operation: Operation, reason: string): void;
}

/** A sleep: nothing is written when it starts, one entry when it is due. */
export class SleepOperation extends Operation {
  readonly isWait = true;
  readonly #host: SleepHost;
  readonly #dueAt: number;
  #disarm: (() => void) | undefined;

  constructor(host: SleepHost, id: string, name: string, source: Source, dueAt: number) {
    super(id, "sleep", name, source);
    this.#host = host;
    this.#dueAt = dueAt;
  }

  start(): void {
    this.#disarm = this.#host.timers.set(this.#dueAt, () => this.#host.complete(this, "value", undefined, undefined));
  }

  override withdraw(reason: string): void {
    this.#disarm?.();
    super.withdraw(reason);
  }

  /** The caller's view. */
  asWait(): Wait<void> {
    const cancel = (): void => this.#host.withdraw(this, `sleep ${JSON.stringify(this.name)} was disarmed`);
    return Object.assign(this.promise as Promise<void>, { cancel, [Symbol.dispose]: cancel });
  }
}
