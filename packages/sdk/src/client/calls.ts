import { limits } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import { SourceError } from "../ports/source-error.ts";
import { clientError } from "./failures.ts";

/** Calls of an operator, repeated while store, core or connection are in trouble; each may be repeated. */
export class Calls {
  readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Repeats for `limits.requestTimeoutMsDefault`, then gives up. @throws the errors of the public API */
  once<T>(what: string, call: () => Promise<T>): Promise<T> {
    return this.until(what, this.clock.now() + limits.requestTimeoutMsDefault, undefined, call);
  }

  /** Repeats until the time is up. @throws the errors of the public API; the signal's reason where it aborts between two tries */
  async until<T>(what: string, untilMs: number, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        const delayMs = Math.max(backOffMs(attempt), error.retryAfterMs ?? 0);
        if (error.code !== "AWAY" || this.clock.now() + delayMs > untilMs) throw clientError(error, what);
        signal?.throwIfAborted();
        await this.#pause(delayMs, signal);
        signal?.throwIfAborted();
      }
    }
  }

  #pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        stop();
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const stop = this.clock.after(delayMs, end);
      signal?.addEventListener("abort", end);
    });
  }
}

function backOffMs(attempt: number): number {
  return Math.min(limits.reconnectDelayMsMin * 2 ** Math.min(attempt, 30), limits.reconnectDelayMsMax);
}
