import type { DoorLike, GateItem, GateLike } from "./host.ts";

/** One run's way through the gate that all runs share: closing it holds this run's bodies back and nobody else's. */
export class Door implements DoorLike {
  readonly #gate: GateLike;
  readonly #onQueue: () => void;
  readonly #inside = new Set<GateItem>();
  /** In the line of the shared gate. */
  #queued = 0;
  #kept: GateItem[] = [];
  #state: "open" | "closed" | "ended" = "open";

  /** `onQueue`: a body runs soon, or now. */
  constructor(gate: GateLike, onQueue: () => void) {
    this.#gate = gate;
    this.#onQueue = onQueue;
  }

  get inside(): ReadonlySet<GateItem> {
    return this.#inside;
  }

  /** Nobody is inside, and nobody waits to be. */
  get isEmpty(): boolean {
    return this.#inside.size === 0 && this.#queued === 0 && this.#kept.length === 0;
  }

  queue(item: GateItem): void {
    if (this.#state === "ended") return;
    if (this.#state === "closed") {
      this.#kept.push(item);
      return;
    }
    this.#queued++;
    this.#onQueue();
    this.#gate.queue(item);
  }

  enters(item: GateItem): boolean {
    this.#queued--;
    if (this.#state === "open") {
      this.#inside.add(item);
      return true;
    }
    if (this.#state === "closed") this.#kept.push(item);
    this.#gate.leave();
    return false;
  }

  leave(item: GateItem): void {
    if (this.#inside.delete(item)) this.#gate.leave();
  }

  /** Nobody enters any more; those inside stay. */
  close(): void {
    if (this.#state === "open") this.#state = "closed";
  }

  /** The run is over: its places are free for others, even where a body does not stop. @returns who was inside */
  end(): readonly GateItem[] {
    this.#state = "ended";
    this.#kept = [];
    const bodies = [...this.#inside];
    this.#inside.clear();
    for (const _ of bodies) this.#gate.leave();
    return bodies;
  }
}
