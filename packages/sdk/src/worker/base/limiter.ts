/** Lets so many tasks run at once; the rest wait in order. */
export class Limiter {
  readonly #max: number;
  #running = 0;
  #waiting: (() => void)[] = [];
  #head = 0;

  constructor(max: number) {
    this.#max = max;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await task();
    } finally {
      // The place goes straight to the next one.
      const next = this.#waiting[this.#head];
      if (next) {
        this.#head++;
        next();
      } else {
        this.#running--;
        this.#waiting = [];
        this.#head = 0;
      }
    }
  }
}
