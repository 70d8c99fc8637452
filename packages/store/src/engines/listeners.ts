import type { Notice } from "../store.ts";

/** Who is told of commits. Who leaves while the others are told hears no more, who comes meanwhile hears what comes later. */
export class Listeners {
  /** A member for each call, so that a listener that is given twice is told twice and forgotten once. */
  readonly #listeners = new Set<{ readonly tell: (notice: Notice) => void }>();

  get size(): number {
    return this.#listeners.size;
  }

  /** Gives what ends it. */
  add(tell: (notice: Notice) => void): () => void {
    const entry = { tell };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  tell(notices: readonly Notice[]): void {
    if (this.#listeners.size === 0) return;
    const present = [...this.#listeners];
    for (const notice of notices) {
      for (const listener of present) if (this.#listeners.has(listener)) listener.tell(notice);
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
