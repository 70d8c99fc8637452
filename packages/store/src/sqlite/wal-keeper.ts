import { limits } from "../limits.ts";

/** Who moves pages of the write-ahead log into the file. */
export interface WalActions {
  /** Beside the writer; what the writer adds meanwhile is left over. */
  readonly move: () => void;
  /** By the writer, between two transactions: what is left over, after which it begins the log anew. Never waits for readers. */
  readonly finish: () => void;
}

export interface WalBounds {
  /** The log is moved when it is so long, and again when it has grown by as much. */
  readonly pages: number;
  /** Above this only every `retryMs`: a reader holds an old state, and each attempt looks through the whole log. */
  readonly pagesMax: number;
  readonly retryMs: number;
  /** So many pages the writer may move itself. */
  readonly finishPages: number;
}

const usual: WalBounds = {
  pages: limits.sqliteWalPagesMax,
  pagesMax: limits.sqliteWalBytesMax / 4_096,
  retryMs: limits.walRetryMs,
  finishPages: limits.walFinishPages,
};

/**
 * Keeps the write-ahead log short without holding up the writer. Nearly all pages are moved beside it; the writer only moves the few that it
 * has added meanwhile. Nobody waits for a reader that holds an old state: the log grows until it has gone, and then begins anew.
 */
export class WalKeeper {
  readonly #actions: WalActions;
  readonly #bounds: WalBounds;
  readonly #now: () => number;
  #state: "idle" | "moving" | "finishing" = "idle";
  /** After an attempt that a reader prevented, the next is made when the log is so long, or at this time. */
  #nextPages: number;
  #nextAtMs = 0;
  #moves = 0;

  /** `now`: a clock in ms that never goes back. */
  constructor(actions: WalActions, bounds: WalBounds = usual, now: () => number = () => performance.now()) {
    this.#actions = actions;
    this.#bounds = bounds;
    this.#now = now;
    this.#nextPages = bounds.pages;
  }

  /** The writer has committed. */
  grown(walPages: number): void {
    if (this.#state !== "idle") return;
    const { pages } = this.#bounds;
    if (walPages < pages) {
      // The log has begun anew since.
      this.#nextPages = pages;
      return;
    }
    if (!this.#isDue(walPages)) return;
    this.#state = "moving";
    this.#moves = 1;
    this.#actions.move();
  }

  /** The pages that were there have been moved; `left`: those that the writer has added meanwhile. */
  moved(left: number): void {
    if (this.#state !== "moving") return;
    // Each time takes less long and so leaves fewer, unless a reader holds them.
    if (left > this.#bounds.finishPages && this.#moves < limits.walMovesMax) {
      this.#moves += 1;
      this.#actions.move();
      return;
    }
    this.#state = "finishing";
    this.#actions.finish();
  }

  finished(walPages: number): void {
    if (this.#state !== "finishing") return;
    this.#nextPages = walPages + this.#bounds.pages;
    this.#nextAtMs = this.#now() + this.#bounds.retryMs;
    this.reset();
  }

  /** One of the threads has ended. */
  reset(): void {
    this.#state = "idle";
  }

  #isDue(walPages: number): boolean {
    const mayByLength = this.#nextPages <= this.#bounds.pagesMax || this.#nextPages === this.#bounds.pages;
    return (mayByLength && walPages >= this.#nextPages) || this.#now() >= this.#nextAtMs;
  }
}
