import { StoreError } from "@runtara/store";
import { limits } from "../limits.ts";
import type { Clock } from "./clock.ts";

/** What a run of a task says about the next one. */
export interface NextRun {
  /** Wall-clock time of the next run; undefined = only if somebody asks for one. */
  readonly atMs?: number | undefined;
  /** Time that must pass before it, whatever is asked for, in ms. */
  readonly pauseMs?: number;
}

export interface RecurringOptions {
  readonly clock: Clock;
  /** Does the task once. It must not throw synchronously. */
  readonly run: () => Promise<NextRun>;
  /** A run has failed; it is repeated by itself, later and later (`limits.troubleDelayMs`). */
  readonly onTrouble?: (error: StoreError) => void;
}

/**
 * A task that runs when its time has come, one run at a time. It keeps one time, the earliest that was asked for, and one timer, so it costs
 * nothing at rest. What is asked for during a run leads to another one: a hint is never swallowed by a run that began before it.
 */
export class Recurring {
  readonly #clock: Clock;
  readonly #run: () => Promise<NextRun>;
  readonly #onTrouble: (error: StoreError) => void;
  #atMs = Number.POSITIVE_INFINITY;
  #failures = 0;
  #giveUpTimer: (() => void) | undefined;
  #pausing = false;
  #stopped = false;
  #underWay: Promise<void> | undefined;

  constructor({ clock, run, onTrouble = () => {} }: RecurringOptions) {
    this.#clock = clock;
    this.#run = run;
    this.#onTrouble = onTrouble;
  }

  /**
   * Asks for a run at this wall-clock time, or as soon after it as possible. Of several times only the earliest is kept: the run says itself
   * when the next one is to be.
   */
  at(atMs: number): void {
    if (atMs >= this.#atMs || this.#stopped) return;
    this.#atMs = atMs;
    this.#arm();
  }

  /** Asks for a run now. */
  wake(): void {
    this.at(Number.NEGATIVE_INFINITY);
  }

  /** No further runs. Resolves when the one under way is over; idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#atMs = Number.POSITIVE_INFINITY;
    this.#pausing = false;
    this.#dropTimer();
    await this.#underWay;
  }

  #arm(): void {
    if (this.#underWay !== undefined || this.#pausing || this.#stopped) return;
    this.#dropTimer();
    if (this.#atMs === Number.POSITIVE_INFINITY) return;
    const delayMs = this.#atMs - this.#clock.now();
    if (delayMs <= 0) this.#go();
    else this.#giveUpTimer = this.#clock.after(Math.min(delayMs, limits.clockLookMs), () => this.#arm());
  }

  #go(): void {
    this.#atMs = Number.POSITIVE_INFINITY;
    this.#underWay = this.#run().then(
      (next) => this.#after(next),
      (error: unknown) => this.#afterTrouble(error),
    );
  }

  #after({ atMs = Number.POSITIVE_INFINITY, pauseMs = 0 }: NextRun): void {
    this.#failures = 0;
    this.#rest(atMs, pauseMs);
  }

  #afterTrouble(error: unknown): void {
    const delayMs = Math.min(limits.troubleDelayMs * 2 ** this.#failures, limits.troubleDelayMsMax);
    this.#failures += 1;
    this.#rest(Number.NEGATIVE_INFINITY, delayMs);
    this.#onTrouble(error instanceof StoreError ? error : new StoreError("INTERNAL", String(error), { cause: error }));
  }

  #rest(atMs: number, pauseMs: number): void {
    this.#underWay = undefined;
    if (this.#stopped) return;
    this.#atMs = Math.min(this.#atMs, atMs);
    if (pauseMs <= 0) {
      this.#arm();
      return;
    }
    this.#pausing = true;
    this.#giveUpTimer = this.#clock.after(pauseMs, () => {
      this.#pausing = false;
      this.#arm();
    });
  }

  #dropTimer(): void {
    this.#giveUpTimer?.();
    this.#giveUpTimer = undefined;
  }
}
