import { CancelledError } from "../errors.ts";

type Callback = (reason: string | undefined) => void;

/** How far the cancel of a run has come. It happens once; afterwards durable calls work again. */
export class Cancellation {
  /** A process has asked for it, and its entry is not delivered yet. */
  #asked: { readonly reason: string | undefined } | undefined;
  #delivered: { readonly reason: string | undefined } | undefined;
  #isOwed = false;
  #isIgnored = false;
  #controller: AbortController | undefined;
  #callbacks: Callback[] | undefined;

  /** True once the entry was delivered. */
  get isDelivered(): boolean {
    return this.#delivered !== undefined;
  }

  /** True while its entry has to be written or is on its way. */
  get isAwaited(): boolean {
    return this.#asked !== undefined && this.#delivered === undefined;
  }

  get reason(): string | undefined {
    return (this.#delivered ?? this.#asked)?.reason;
  }

  /** True when a cancel is known that changes nothing any more. */
  get isRecorded(): boolean {
    return this.#delivered !== undefined || (this.#isIgnored && this.#asked !== undefined);
  }

  /** Somebody wants the instance cancelled. True when the entry has to be written for it. */
  ask(reason: string | undefined): boolean {
    if (this.#asked || this.#delivered) return false;
    this.#asked = { reason };
    return !this.#isIgnored;
  }

  /** From here on it changes nothing. */
  ignore(): void {
    this.#isIgnored = true;
    this.#isOwed = false;
  }

  get isIgnored(): boolean {
    return this.#isIgnored;
  }

  /** The entry has its turn. `rejectedWaits`: how many callers were told by it; if none, the next durable call is. */
  deliver(error: CancelledError, reason: string | undefined, rejectedWaits: number): void {
    this.#delivered = { reason };
    this.#isOwed = rejectedWaits === 0;
    const callbacks = this.#callbacks ?? [];
    this.#callbacks = undefined;
    if (this.#isIgnored) return;
    this.#controller?.abort(error);
    for (const callback of callbacks) callback(reason);
  }

  /** Made when it is first read. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#delivered) this.#controller.abort(cancelledError(this.#delivered.reason));
    }
    return this.#controller.signal;
  }

  /** `callback` must not throw. */
  onDelivery(callback: Callback): void {
    if (this.#delivered) {
      callback(this.#delivered.reason);
      return;
    }
    this.#callbacks ??= [];
    this.#callbacks.push(callback);
  }

  /** A step has ended as CancelledError: somebody was told. */
  settle(): void {
    this.#isOwed = false;
  }

  /** The error that this durable call has to end in, if nobody was told before. */
  collect(): CancelledError | undefined {
    if (!this.#isOwed) return undefined;
    this.#isOwed = false;
    return cancelledError(this.reason);
  }
}

export function cancelledError(reason: string | undefined): CancelledError {
  return new CancelledError(`the instance was cancelled${reason === undefined ? "" : `: ${reason}`}`);
}

/** The reason in the payload of a cancel entry. */
export function cancelReason(payload: unknown): string | undefined {
  const reason = typeof payload === "object" && payload !== null ? (payload as { reason?: unknown }).reason : undefined;
  return typeof reason === "string" ? reason : undefined;
}
