import type { Store, StoreError } from "@runtara/store";
import { limits } from "../limits.ts";
import type { Clock } from "./clock.ts";
import { type NextRun, Recurring } from "./recurring.ts";

/** How long what belongs to ended instances is kept, in ms. Absent = for ever. */
export interface RetentionAges {
  /** Whole instances, counted from their end. */
  readonly instancesMs?: number;
  /** Events of ended instances, counted from their receipt. */
  readonly eventsMs?: number;
  /** Checkpoints and retry records of ended instances, counted from their saving. */
  readonly checkpointsMs?: number;
}

export interface RetentionServiceOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly ages: RetentionAges;
  readonly onTrouble?: (error: StoreError) => void;
}

/**
 * Removes what is older than it has to be kept, in batches, every `limits.retentionEveryMs`. After each batch it rests as long as the batch took, so
 * it never has more than half of the store's time. Nothing of an instance that has not ended is touched.
 */
export class RetentionService {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #ages: RetentionAges;
  readonly #task: Recurring;

  constructor({ store, clock, ages, onTrouble }: RetentionServiceOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#ages = ages;
    this.#task = new Recurring({ clock, run: () => this.#remove(), ...(onTrouble && { onTrouble }) });
  }

  /** The first round begins after `limits.retentionEveryMs`: a start has better things to do. */
  start(): void {
    this.#task.at(this.#clock.now() + limits.retentionEveryMs);
  }

  /** Resolves when the batch under way is over; the next start goes on where it stopped. Idempotent. */
  async stop(): Promise<void> {
    await this.#task.stop();
  }

  async #remove(): Promise<NextRun> {
    const nowMs = this.#clock.now();
    const { more } = await this.#store.run({
      kind: "removeOld",
      ...boundsOf(this.#ages, nowMs),
      limit: limits.retentionBatch,
      nowMs,
    });
    if (!more) return { atMs: nowMs + limits.retentionEveryMs };
    return { atMs: nowMs, pauseMs: Math.max(this.#clock.now() - nowMs, 1) };
  }
}

function boundsOf({ instancesMs, eventsMs, checkpointsMs }: RetentionAges, nowMs: number) {
  return {
    ...(instancesMs === undefined ? {} : { instancesEndedBeforeMs: nowMs - instancesMs }),
    ...(eventsMs === undefined ? {} : { eventsBeforeMs: nowMs - eventsMs }),
    ...(checkpointsMs === undefined ? {} : { checkpointsBeforeMs: nowMs - checkpointsMs }),
  };
}
