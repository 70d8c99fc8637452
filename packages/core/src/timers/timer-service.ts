import { type Store, type StoreError, storeLimits } from "@runtara/store";
import { limits } from "../limits.ts";
import type { Clock } from "./clock.ts";
import type { Liveness } from "./liveness.ts";
import { type NextRun, Recurring } from "./recurring.ts";
import type { SettleService } from "./settle-service.ts";

export interface TimerServiceOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly liveness: Liveness;
  readonly settle: SettleService;
  readonly onTrouble?: (error: StoreError) => void;
}

/**
 * Lets time do its work on instances: time-outs, silence, leases that nobody took over. It knows one time only, the next at which something
 * is due anywhere on the database, so pending timers cost rows and nothing else. Each fires once, whatever number of processes serve
 * the database, because the store gives each due row to one of them.
 *
 * Late by at most `limits.dueGapMs` plus a commit, and one more gap for each `limits.dueBatch` that are due at once; silence is judged later by
 * what `Liveness` allows for.
 */
export class TimerService {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #liveness: Liveness;
  readonly #settle: SettleService;
  readonly #task: Recurring;
  #unwatch: (() => void) | undefined;

  constructor({ store, clock, liveness, settle, onTrouble }: TimerServiceOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#liveness = liveness;
    this.#settle = settle;
    this.#task = new Recurring({ clock, run: () => this.#fire(), ...(onTrouble && { onTrouble }) });
  }

  /** Begins to watch the store, and looks at once for what became due while nobody did. */
  start(): void {
    this.#unwatch ??= this.#store.watch((notice) => {
      if (notice.topic === "due") this.#task.at(notice.atMs);
      // Also told of the end of a lease, after which somebody has to look whether the work was taken over.
      else if (notice.topic === "work") this.#task.at(notice.readyAtMs + storeLimits.leaseGraceMs);
      else if (notice.topic === "anything") this.#task.wake();
    });
    this.#task.wake();
  }

  /** Resolves when nothing is under way any more. Idempotent. */
  async stop(): Promise<void> {
    this.#unwatch?.();
    this.#unwatch = undefined;
    await this.#task.stop();
  }

  async #fire(): Promise<NextRun> {
    // Silence is judged by what the store knows, so it has to know first.
    await this.#liveness.catchUp();
    const { unsettled, nextDueAtMs } = await this.#store.run({
      kind: "fireDue",
      nowMs: this.#clock.now(),
      staleAfterMs: this.#liveness.judgedAfterMs,
      silentSinceMs: this.#liveness.silentSinceMs,
      limit: limits.dueBatch,
    });
    if (unsettled) this.#settle.wake();
    return { atMs: nextDueAtMs, pauseMs: limits.dueGapMs };
  }
}
