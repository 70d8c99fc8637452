import type { Answer } from "../answer.ts";
import type { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import type { Clock } from "./clock.ts";

/** A call that is held open. */
export interface OpenPoll {
  /** The caller is gone: nothing is answered any more. */
  abandon(): void;
}

export interface LongPollOptions<Response> {
  readonly clock: Clock;
  /** 0 = `limits.pollWaitMs`; longer than `limits.pollWaitMsMax` counts as that. */
  readonly waitMs: number;
  /** The answer where nothing has happened. */
  readonly empty: () => Response;
  readonly answer: Answer<Response>;
  /** Told once, before the answer or instead of it. */
  readonly onOver: () => void;
}

/**
 * One held call. It is answered exactly once: with what happened, with an error, or empty, when its time is up, a later call takes over or
 * the server drains. While `busy` (an operation is under way whose result belongs to this call) an empty answer waits for that result.
 */
export class LongPoll<Response> implements OpenPoll {
  readonly #empty: () => Response;
  readonly #onOver: () => void;
  readonly #giveUpTimer: () => void;
  #answer: Answer<Response> | undefined;
  #busy = false;
  #ending = false;

  constructor({ clock, waitMs, empty, answer, onOver }: LongPollOptions<Response>) {
    this.#empty = empty;
    this.#onOver = onOver;
    this.#answer = answer;
    const lengthMs = waitMs <= 0 ? limits.pollWaitMs : Math.min(waitMs, limits.pollWaitMsMax);
    this.#giveUpTimer = clock.after(lengthMs, () => this.end());
  }

  /** Neither answered nor abandoned. */
  get isOpen(): boolean {
    return this.#answer !== undefined;
  }

  /** Open, and nothing has asked for its end. */
  get isWaiting(): boolean {
    return this.isOpen && !this.#ending;
  }

  set busy(busy: boolean) {
    this.#busy = busy;
    if (!busy && this.#ending) this.respond(this.#empty());
  }

  respond(response: Response): void {
    this.#close()?.(undefined, response);
  }

  fail(error: CoreError): void {
    this.#close()?.(error, undefined);
  }

  /** Answers empty, at once or, while busy, unless the result is something. */
  end(): void {
    this.#ending = true;
    if (!this.#busy) this.respond(this.#empty());
  }

  abandon(): void {
    this.#close();
  }

  #close(): Answer<Response> | undefined {
    const answer = this.#answer;
    if (answer === undefined) return undefined;
    this.#answer = undefined;
    this.#giveUpTimer();
    this.#onOver();
    return answer;
  }
}
