import type { Logger } from "../api/runtime.ts";
import type { Clock } from "../ports/clock.ts";
import { SourceError } from "../ports/source-error.ts";
import { retryDelayMs } from "./back-off.ts";

/** Whoever asks may have gone meanwhile: then nothing is tried again. */
export interface Asker {
  readonly isGone: boolean;
}

/** Repeats what the source could not take, for as long as somebody wants it. Trouble is told once when it begins and once when it is over. */
export class Persistence {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #isTroubled = false;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Rejects with whatever is no trouble of the source, and with CLOSED when the asker has gone. */
  async repeat<Answer>(asker: Asker, call: () => Promise<Answer>): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await call();
        this.worked();
        return answer;
      } catch (error) {
        if (!isAway(error)) throw error;
        this.failed(error);
        await this.#pause(retryDelayMs(attempt, Math.random(), error.retryAfterMs));
        if (asker.isGone) throw new SourceError("CLOSED", "nobody waits for it any more", { cause: error });
      }
    }
  }

  /** The same for a call with a callback: try it again a while later. */
  retry(attempt: number, error: Error, again: () => void): void {
    this.failed(error);
    const retryAfterMs = error instanceof SourceError ? error.retryAfterMs : undefined;
    this.#clock.after(retryDelayMs(attempt, Math.random(), retryAfterMs), again);
  }

  failed(error: Error): void {
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    this.#logger.warn({ error: error.message }, "a call failed; it is repeated until it succeeds");
  }

  worked(): void {
    if (!this.#isTroubled) return;
    this.#isTroubled = false;
    this.#logger.info({}, "calls succeed again");
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(delayMs, resolve);
    });
  }
}

/** True for what may succeed later. Sources reject with SourceError alone; anything else is taken for a fault of the connection. */
export function isAway(error: unknown): error is SourceError {
  return error instanceof SourceError && error.code === "AWAY";
}

/** Another process has the instance, or it is over: nothing may be written any more. */
export function isLost(error: unknown): error is SourceError {
  return (
    error instanceof SourceError && (error.code === "FENCED" || error.code === "ENDED" || error.code === "UNKNOWN")
  );
}

export function isClosed(error: unknown): error is SourceError {
  return error instanceof SourceError && error.code === "CLOSED";
}
