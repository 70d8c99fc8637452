/** Distinct values that are pushed on one side and iterated on the other, in order. Made for one reader. */
export class AsyncQueue<T> implements AsyncIterable<T> {
  readonly #values = new Set<T>();
  readonly #onUnread: ((value: T) => void) | undefined;
  #isEnded = false;
  #readers = 0;
  #wake: (() => void) | undefined;

  /**
   * `onUnread`: gets what is left when the reader stops early, or at the end if nobody has begun to read. Without it such
   * values wait for the next reader.
   */
  constructor(onUnread?: (value: T) => void) {
    this.#onUnread = onUnread;
  }

  /** Ignored after `end`. */
  push(value: T): void {
    if (this.#isEnded) return;
    this.#values.add(value);
    this.#wake?.();
  }

  /** Takes back a value that nobody has read yet. */
  remove(value: T): void {
    this.#values.delete(value);
  }

  /** What was pushed is still delivered to the reader, then the iteration ends. */
  end(): void {
    this.#isEnded = true;
    this.#wake?.();
    if (this.#readers === 0) this.#dropUnread();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    this.#readers += 1;
    try {
      for (;;) {
        // What is pushed while this loop runs comes up in it, too.
        for (const value of this.#values) {
          this.#values.delete(value);
          yield value;
        }
        if (this.#isEnded) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    } finally {
      this.#readers -= 1;
      if (this.#readers === 0) this.#dropUnread();
    }
  }

  #dropUnread(): void {
    if (this.#onUnread === undefined) return;
    for (const value of this.#values) {
      this.#values.delete(value);
      this.#onUnread(value);
    }
  }
}
