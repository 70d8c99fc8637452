import { limits } from "../limits.ts";

interface Place {
  readonly cursor: string;
  readonly atMs: number;
}

/**
 * Where pages have ended: a listing asked for by offset goes on behind the last row of the page before, instead of counting rows anew.
 * So pages do not shift when something is inserted or removed between two of them, and a deep page costs as much as the first.
 * Forgotten after a while, and the oldest beyond a number; then the offset counts again. Pure but for the clock it is given.
 */
export class PageCursors {
  readonly #now: () => number;
  readonly #places = new Map<string, Place>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** `listing`: who asks for what with which filters. */
  find(listing: string, offset: number): string | undefined {
    const place = this.#places.get(keyOf(listing, offset));
    return place !== undefined && this.#now() - place.atMs < limits.pageCursorMs ? place.cursor : undefined;
  }

  keep(listing: string, offset: number, cursor: string): void {
    const key = keyOf(listing, offset);
    this.#places.delete(key);
    this.#places.set(key, { cursor, atMs: this.#now() });
    if (this.#places.size <= limits.pageCursorsMax) return;
    const [oldest = key] = this.#places.keys();
    this.#places.delete(oldest);
  }
}

function keyOf(listing: string, offset: number): string {
  return `${offset} ${listing}`;
}
