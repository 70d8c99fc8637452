import { limits } from "../../limits.ts";

/**
 * What one removeOld has taken, and when it is enough: the time is looked at only after the work that a slice always does, so that a busy
 * machine cannot bring retention to a standstill.
 */
export class RetentionSlice {
  instances = 0;
  events = 0;
  checkpoints = 0;
  readonly #rowsMax: number;
  readonly #endsAtMs: number;
  #weight = 0;

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
    this.#endsAtMs = performance.now() + limits.removeSliceMs;
  }

  /** Rows taken. */
  get rows(): number {
    return this.instances + this.events + this.checkpoints;
  }

  /** Rows that one statement may take. */
  get next(): number {
    return Math.min(this.#rowsMax - this.rows, limits.removeRowsAtOnce);
  }

  /** Notes work: a row, a look, or a page of 4 KiB. */
  weigh(weight: number): void {
    this.#weight += weight;
  }

  get isFull(): boolean {
    return this.rows >= this.#rowsMax || (this.#weight >= limits.removeWeightMin && this.isLate);
  }

  get isLate(): boolean {
    return performance.now() >= this.#endsAtMs;
  }
}
