import { limits } from "./limits.ts";

/** A wait that can be given up. */
export interface Deadline {
  cancel(): void;
}

interface Entry {
  readonly atMs: number;
  action: (() => void) | undefined;
}

/**
 * Any number of waits behind one timer: a heap ordered by time. Never early: an action runs only once its whole time has passed on
 * the monotonic clock. A wait that is given up costs nothing until its place in the heap comes up.
 */
export class DeadlineQueue {
  readonly #heap: Entry[] = [];
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #waiting = 0;

  /** `now`: a monotonic clock in ms, `performance.now` unless a test brings its own. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Number of waits that are neither over nor given up. */
  get size(): number {
    return this.#waiting;
  }

  /** Runs `action` once `delayMs` have passed, never before this call returns. */
  after(delayMs: number, action: () => void): Deadline {
    const entry: Entry = { atMs: this.#now() + Math.max(delayMs, 0), action };
    push(this.#heap, entry);
    this.#waiting += 1;
    this.#arm();
    return { cancel: () => this.#cancel(entry) };
  }

  /** Gives up everything that waits. */
  clear(): void {
    this.#heap.length = 0;
    this.#waiting = 0;
    this.#arm();
  }

  #cancel(entry: Entry): void {
    if (entry.action === undefined) return;
    entry.action = undefined;
    this.#waiting -= 1;
    if (this.#waiting === 0) this.clear();
  }

  #arm(): void {
    const next = this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
    if (next === this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = next;
    if (next === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.min(Math.max(Math.ceil(next - this.#now()), 0), limits.timerMsMax);
    this.#timer = setTimeout(() => this.#onTimer(), delayMs);
  }

  #onTimer(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const now = this.#now();
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= now; first = this.#heap[0]) {
      pop(this.#heap);
      const action = first.action;
      if (action === undefined) continue;
      first.action = undefined;
      this.#waiting -= 1;
      action();
    }
    this.#arm();
  }
}

function push(heap: Entry[], entry: Entry): void {
  let place = heap.length;
  heap.push(entry);
  while (place > 0) {
    const parentPlace = (place - 1) >> 1;
    const parent = heap[parentPlace];
    if (parent === undefined || parent.atMs <= entry.atMs) break;
    heap[place] = parent;
    place = parentPlace;
  }
  heap[place] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let place = 0;
  for (;;) {
    let childPlace = 2 * place + 1;
    let child = heap[childPlace];
    const right = heap[childPlace + 1];
    if (child !== undefined && right !== undefined && right.atMs < child.atMs) {
      childPlace += 1;
      child = right;
    }
    if (child === undefined || child.atMs >= last.atMs) break;
    heap[place] = child;
    place = childPlace;
  }
  heap[place] = last;
}
