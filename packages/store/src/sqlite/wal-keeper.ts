import { limits } from "../limits.ts";

/** Who moves pages of the write-ahead log into the file. */
export interface WalActions {
  /** Beside the writer; what the writer adds meanwhile is left over. */
  readonly move: () => void;
  /** By the writer, between two transactions: what is left over, after which it begins the log anew. `all`: waits for readers. */
  readonly finish: (all: boolean) => void;
}

const bytesPerPage = 4_096;

/**
 * Keeps the write-ahead log short without holding up the writer for long. Nearly all pages are moved beside it; the writer only moves the
 * few that it has added meanwhile. A log that grows all the same (a reader holds an old state) is cut back with the readers waiting.
 */
export class WalKeeper {
  readonly #actions: WalActions;
  #state: "idle" | "moving" | "finishing" = "idle";
  /** After an attempt that a reader prevented, the next is made when the log is so long. */
  #next: number = limits.sqliteWalPagesMax;

  constructor(actions: WalActions) {
    this.#actions = actions;
  }

  /** The writer has committed. */
  grown(walPages: number): void {
    if (this.#state !== "idle") return;
    // The log has begun anew since.
    if (walPages < limits.sqliteWalPagesMax) this.#next = limits.sqliteWalPagesMax;
    if (walPages < this.#next) return;
    this.#state = "moving";
    this.#actions.move();
  }

  /** The pages that were there have been moved. */
  moved(walPages: number): void {
    if (this.#state !== "moving") return;
    this.#state = "finishing";
    this.#actions.finish(walPages * bytesPerPage > limits.sqliteWalBytesMax);
  }

  finished(walPages: number): void {
    this.#next = walPages + limits.sqliteWalPagesMax;
    this.reset();
  }

  /** One of the threads has ended. */
  reset(): void {
    this.#state = "idle";
  }
}
