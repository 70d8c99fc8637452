import type { QueuedSignal } from "../../ports/source.ts";

/** Named signals that were taken off the core and are in no entry yet. The base protocol has one slot for each name and gives it away when it
 *  is asked; a process that dies before it has recorded what it got has lost it. */
export class Slots {
  readonly #signals = new Map<number, QueuedSignal>();
  #lastId = 0;

  put(name: string, payload: Uint8Array): void {
    const signalId = ++this.#lastId;
    this.#signals.set(signalId, { signalId, name, payload, createdAtMs: Date.now() });
  }

  /** In the order of their arrival. */
  of(names: readonly string[]): QueuedSignal[] {
    return [...this.#signals.values()].filter(({ name }) => names.includes(name));
  }

  has(name: string): boolean {
    return this.of([name]).length > 0;
  }

  /** An entry records it now. */
  remove(signalId: number): void {
    this.#signals.delete(signalId);
  }
}
