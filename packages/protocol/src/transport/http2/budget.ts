/** Bytes that the half-read frames of one connection may hold together; a lone one always has room. */
export class Budget {
  readonly #bytesMax: number;
  #usedBytes = 0;
  readonly #waiting: { readonly bytes: number; readonly grant: () => void }[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Calls `grant` when there is room, at once if there is now. Those who came first are served first. */
  reserve(bytes: number, grant: () => void): void {
    this.#waiting.push({ bytes, grant });
    this.#serve();
  }

  /** Gives back what was granted. */
  release(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#serve();
  }

  /** Whether it was still waiting, and now no longer is. */
  withdraw(grant: () => void): boolean {
    const index = this.#waiting.findIndex((one) => one.grant === grant);
    if (index < 0) return false;
    this.#waiting.splice(index, 1);
    this.#serve();
    return true;
  }

  #serve(): void {
    for (let first = this.#waiting[0]; first !== undefined && this.#hasRoom(first.bytes); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#usedBytes += first.bytes;
      first.grant();
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#bytesMax;
  }
}
