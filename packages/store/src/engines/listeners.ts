import type { Notice } from "../store.ts";

/** Who is told of commits. Who leaves while the others are told hears no more. */
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
    for (const notice of notices) for (const { tell } of this.#listeners) tell(notice);
  }

  clear(): void {
    this.#listeners.clear();
  }
}
