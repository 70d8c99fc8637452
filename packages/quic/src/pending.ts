import { QuicError } from "./errors.ts";
import { hold, release } from "./hold.ts";
import { limits } from "./limits.ts";

interface Entry {
  readonly number: number;
  readonly promise: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  timer: NodeJS.Timeout | undefined;
  signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
}

export interface PendingOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * The calls that wait for their answer, by number. A number is used again only after the native side has reported the
 * end of its call, so a late answer never reaches another call; given-up calls keep their number until then.
 */
export class PendingCalls {
  readonly #entries: (Entry | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #cancel: (number: number) => void;
  #size = 0;

  constructor(cancel: (number: number) => void) {
    this.#cancel = cancel;
  }

  get size(): number {
    return this.#size;
  }

  add<T>(options: PendingOptions | undefined): { readonly number: number; readonly promise: Promise<T> } {
    const number = this.#free.pop() ?? this.#entries.length;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const entry: Entry = {
      number,
      promise,
      resolve: resolve as (value: unknown) => void,
      reject,
      timer: undefined,
      signal: undefined,
      onAbort: undefined,
    };
    this.#entries[number] = entry;
    this.#size++;
    hold();
    if (options !== undefined) this.#arm(entry, options);
    return { number, promise };
  }

  resolve(number: number, value: unknown): void {
    this.#remove(number)?.resolve(value);
  }

  reject(number: number, error: QuicError): void {
    this.#remove(number)?.reject(error);
  }

  rejectAll(error: QuicError): void {
    for (const entry of [...this.#entries]) {
      if (entry !== undefined) this.reject(entry.number, error);
    }
  }

  #arm(entry: Entry, options: PendingOptions): void {
    const { timeoutMs, signal } = options;
    if (timeoutMs !== undefined && timeoutMs > 0 && timeoutMs <= limits.timerMsMax) {
      entry.timer = setTimeout(() => {
        this.#giveUp(entry, new QuicError("CALL_TIMEOUT", `no answer within ${timeoutMs} ms`));
      }, timeoutMs);
    }
    if (signal === undefined) return;
    entry.signal = signal;
    entry.onAbort = () => {
      this.#giveUp(entry, new QuicError("CALL_ABORTED", "the call was aborted", { cause: signal.reason }));
    };
    signal.addEventListener("abort", entry.onAbort, { once: true });
  }

  #giveUp(entry: Entry, error: QuicError): void {
    disarm(entry);
    this.#cancel(entry.number);
    // A promise keeps its first outcome; the native end of the call only frees the number.
    entry.reject(error);
  }

  #remove(number: number): Entry | undefined {
    const entry = this.#entries[number];
    if (entry === undefined) return undefined;
    this.#entries[number] = undefined;
    this.#free.push(number);
    this.#size--;
    release();
    if (entry.timer !== undefined || entry.signal !== undefined) disarm(entry);
    return entry;
  }
}

function disarm(entry: Entry): void {
  clearTimeout(entry.timer);
  entry.timer = undefined;
  if (entry.onAbort !== undefined) entry.signal?.removeEventListener("abort", entry.onAbort);
  entry.onAbort = undefined;
}
