import type { GateItem, GateLike } from "./host.ts";

/** Lets so many step bodies of a runtime run at once; the rest wait in the order they came. */
export class Gate implements GateLike {
  readonly #max: number;
  #inside = 0;
  #waiting: GateItem[] = [];
  #head = 0;
  #isClosed = false;
  #isAdmitting = false;

  constructor(max: number) {
    this.#max = max;
  }

  /** How many are inside. */
  get inside(): number {
    return this.#inside;
  }

  /** Enters now, or when there is room. */
  queue(item: GateItem): void {
    if (!this.#isClosed && this.#inside < this.#max && this.#head === this.#waiting.length) {
      this.#inside++;
      item.enter();
    } else {
      this.#waiting.push(item);
    }
  }

  leave(): void {
    this.#inside--;
    // One that leaves as soon as it enters comes here from within the loop below.
    if (this.#isAdmitting || this.#head === this.#waiting.length) return;
    this.#isAdmitting = true;
    try {
      while (!this.#isClosed && this.#inside < this.#max && this.#head < this.#waiting.length) {
        const next = this.#waiting[this.#head++] as GateItem;
        this.#inside++;
        next.enter();
      }
    } finally {
      // The gate is everybody's: whatever one item does, the others get in.
      this.#isAdmitting = false;
    }
    if (this.#head > 32 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Nobody enters any more. */
  close(): void {
    this.#isClosed = true;
  }
}
