/** What one connection keeps for a client that does not take its answers. */
export interface Share {
  bytes: number;
  /** It is being closed: what it still holds is on its way out and no longer counted. */
  isShed: boolean;
  /** Closes the connection. */
  readonly shed: () => void;
}

/**
 * Answers of a listener that wait because their clients do not take them, counted for each connection and for all, so
 * that a client that asks and never reads cannot make the server keep everything for it. 0 = any number of bytes.
 */
export class Unsent {
  readonly #connectionMax: number;
  readonly #listenerMax: number;
  readonly #shares = new Set<Share>();
  #bytes = 0;
  #answersRefused = 0;
  #connectionsShed = 0;

  constructor(connectionBytesMax: number, listenerBytesMax: number) {
    this.#connectionMax = connectionBytesMax || Number.POSITIVE_INFINITY;
    this.#listenerMax = listenerBytesMax || Number.POSITIVE_INFINITY;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get answersRefused(): number {
    return this.#answersRefused;
  }

  get connectionsShed(): number {
    return this.#connectionsShed;
  }

  join(shed: () => void): Share {
    const share = { bytes: 0, isShed: false, shed };
    this.#shares.add(share);
    return share;
  }

  /** The connection has ended. */
  leave(share: Share): void {
    if (!this.#shares.delete(share) || share.isShed) return;
    share.isShed = true;
    this.#bytes -= share.bytes;
  }

  /**
   * Counts an answer; false: its connection has too many, and it is not counted. A lone one is always let in. If all
   * together are too many afterwards, the connections that hold most are closed.
   */
  admit(share: Share, bytes: number): boolean {
    if (share.isShed || (share.bytes > 0 && share.bytes + bytes > this.#connectionMax)) {
      this.#answersRefused++;
      return false;
    }
    share.bytes += bytes;
    this.#bytes += bytes;
    while (this.#bytes > this.#listenerMax) this.#shedLargest();
    return true;
  }

  /** An answer has left, or its stream has gone. */
  sent(share: Share, bytes: number): void {
    if (share.isShed) return;
    share.bytes -= bytes;
    this.#bytes -= bytes;
  }

  #shedLargest(): void {
    let largest: Share | undefined;
    for (const share of this.#shares) {
      if (!share.isShed && share.bytes > (largest?.bytes ?? 0)) largest = share;
    }
    if (largest === undefined) return;
    largest.isShed = true;
    this.#bytes -= largest.bytes;
    this.#connectionsShed++;
    largest.shed();
  }
}
