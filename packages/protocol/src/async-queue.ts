/** Distinct values that are pushed on one side and iterated on the other, in order. Made for one reader. */
export class AsyncQueue<T> implements AsyncIterable<T> {
  readonly #values = new Set<T>();
  #isEnded = false;
  #wake: (() => void) | undefined;

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

  /** What was pushed is still delivered, then the iteration ends. */
  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
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
  }
}
