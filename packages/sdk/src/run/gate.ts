/** Lets so many step bodies run at once; the rest wait in the order they came. */
export class Gate<T> {
  readonly #max: number;
  readonly #enter: (item: T) => void;
  readonly #inside = new Set<T>();
  #waiting: T[] = [];
  #head = 0;
  #isClosed = false;
  #isAdmitting = false;

  constructor(max: number, enter: (item: T) => void) {
    this.#max = max;
    this.#enter = enter;
  }

  /** Those that are inside. */
  get inside(): ReadonlySet<T> {
    return this.#inside;
  }

  /** Enters now, or when there is room. */
  queue(item: T): void {
    if (!this.#isClosed && this.#inside.size < this.#max && this.#head === this.#waiting.length) {
      this.#inside.add(item);
      this.#enter(item);
    } else {
      this.#waiting.push(item);
    }
  }

  leave(item: T): void {
    this.#inside.delete(item);
    // One that leaves as soon as it enters comes here from within the loop below.
    if (this.#isAdmitting || this.#head === this.#waiting.length) return;
    this.#isAdmitting = true;
    while (!this.#isClosed && this.#inside.size < this.#max && this.#head < this.#waiting.length) {
      const next = this.#waiting[this.#head++] as T;
      this.#inside.add(next);
      this.#enter(next);
    }
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    }
    this.#isAdmitting = false;
  }

  /** Nobody enters any more. */
  close(): void {
    this.#isClosed = true;
  }
}
