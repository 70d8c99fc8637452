import type { Wait } from "../../api/step.ts";
import type { RunHost, SignalWait } from "../host.ts";
import { Operation } from "../operation.ts";
import type { Source } from "../source.ts";

/** Where a wait is served: the inbox, or the end of one child. */
export interface WaitPlace {
  add(wait: SignalWait): void;
  remove(wait: SignalWait): void;
}

interface WaitCall {
  /** Of the time-out's entry; without one an id that holds a `?`. */
  readonly id: string;
  readonly name: string;
  readonly source: Source;
  readonly names: readonly string[];
  /** When it is given up; undefined: never. */
  readonly dueAt: number | undefined;
  /** What the caller gets for a signal. */
  readonly give: (name: string, value: unknown) => unknown;
}

/** A wait for the next of some signals. What ends it is the entry of the signal; only its time-out has one of its own. */
export class WaitOperation extends Operation implements SignalWait {
  readonly isWait = true;
  readonly names: readonly string[];
  readonly #host: RunHost;
  readonly #place: WaitPlace;
  readonly #dueAt: number | undefined;
  readonly #give: WaitCall["give"];
  #disarm: (() => void) | undefined;
  #taken: { readonly outcome: "value" | "error"; readonly value: unknown } | undefined;

  constructor(host: RunHost, place: WaitPlace, call: WaitCall) {
    super(call.id, call.dueAt === undefined ? "signal" : "sleep", call.name, call.source);
    this.#host = host;
    this.#place = place;
    this.names = call.names;
    this.#dueAt = call.dueAt;
    this.#give = call.give;
  }

  start(): void {
    if (this.#dueAt === undefined) return;
    this.#disarm = this.#host.timers.set(this.#dueAt, () => this.#host.complete(this, "value", undefined, undefined));
  }

  /** Its signal has its turn. */
  take(name: string, outcome: "value" | "error", value: unknown): void {
    this.#taken = { outcome, value: outcome === "value" ? this.#give(name, value) : value };
    this.#host.withdraw(this, "");
  }

  override settle(outcome: "value" | "error", value: unknown): void {
    this.#disarm?.();
    this.#place.remove(this);
    super.settle(outcome, value);
  }

  override withdraw(reason: string): void {
    if (this.#taken) this.settle(this.#taken.outcome, this.#taken.value);
    else super.withdraw(reason);
  }

  asWait(): Wait<unknown> {
    return waitOf(this, this.#host, `the wait for ${this.name}`);
  }
}

/** The caller's view of a call that can be disarmed. */
export function waitOf<T>(operation: Operation, host: Pick<RunHost, "withdraw">, what: string): Wait<T> {
  const cancel = (): void => host.withdraw(operation, `${what} was disarmed`);
  return Object.assign(operation.promise as Promise<T>, { cancel, [Symbol.dispose]: cancel });
}
