import type { Store, StoreError } from "@runtara/store";
import { limits } from "../limits.ts";
import type { Clock } from "./clock.ts";
import { type NextRun, Recurring } from "./recurring.ts";

export interface SettleServiceOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly onTrouble?: (error: StoreError) => void;
}

/**
 * Carries out what follows from the end of an instance: its parent gets the result, its attached children are asked to cancel. The store
 * keeps which ends are open, so one that a crash left behind is found at the start of any process, or by another one within
 * `limits.settleEveryMs`.
 */
export class SettleService {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #task: Recurring;
  #unwatch: (() => void) | undefined;

  constructor({ store, clock, onTrouble }: SettleServiceOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#task = new Recurring({ clock, run: () => this.#settle(), ...(onTrouble && { onTrouble }) });
  }

  /** Begins to watch the store and settles what is open. */
  start(): void {
    this.#unwatch ??= this.#store.watch((notice) => {
      if (notice.topic === "due" && notice.atMs <= this.#clock.now()) this.wake();
    });
    this.wake();
  }

  /** To be called whenever the store has answered `unsettled`. Cheap: calls during a run lead to one more. */
  wake(): void {
    this.#task.wake();
  }

  /** Resolves when nothing is under way any more. Idempotent. */
  async stop(): Promise<void> {
    this.#unwatch?.();
    this.#unwatch = undefined;
    await this.#task.stop();
  }

  async #settle(): Promise<NextRun> {
    const nowMs = this.#clock.now();
    const { count, more } = await this.#store.run({ kind: "settleEnded", nowMs, limit: limits.settleBatch });
    if (!more) return { atMs: nowMs + limits.settleEveryMs };
    // Nothing done and yet more to do: another process has it in hand.
    return { atMs: nowMs, pauseMs: count === 0 ? limits.dueGapMs : 0 };
  }
}
