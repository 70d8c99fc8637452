/**
 * The epochs that were registered on one connection, for calls that carry none (I5): a program of 1.4.1 is fenced by them as long as it
 * keeps its connection.
 */
export class Stamps {
  readonly #epochs = new Map<string, number>();
  readonly #sizeMax: number;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get(instanceId: string): number | undefined {
    return this.#epochs.get(instanceId);
  }

  /** Returns whether an older instance had to be forgotten for it: its calls without an epoch are not fenced any more. */
  set(instanceId: string, epoch: number): boolean {
    // Put behind all others: what registers again is young.
    this.#epochs.delete(instanceId);
    this.#epochs.set(instanceId, epoch);
    if (this.#epochs.size <= this.#sizeMax) return false;
    const [oldest = ""] = this.#epochs.keys();
    this.#epochs.delete(oldest);
    return true;
  }

  delete(instanceId: string): void {
    this.#epochs.delete(instanceId);
  }
}
