/** Something that is told when its time is up. */
export interface Expiring {
  expire(): void;
}

/** A place in a list. */
export class Deadline {
  readonly target: Expiring;
  /** On the list's clock. */
  readonly atMs: number;
  earlier: Deadline | undefined;
  later: Deadline | undefined;
  isWaiting = true;

  constructor(target: Expiring, atMs: number, earlier: Deadline | undefined) {
    this.target = target;
    this.atMs = atMs;
    this.earlier = earlier;
  }
}

/**
 * Any number of waits of the same length behind one timer. As all are equally long, the order of arrival is that of the
 * deadlines: a linked list is enough, and both ways in and out cost a few assignments. Never early. The timer is set at
 * most once per length, not per wait, and does not keep the process alive.
 */
export class DeadlineList {
  readonly lengthMs: number;
  readonly #now: () => number;
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `lengthMs` 0: nothing ever expires. `now`: a monotonic clock, ms. */
  constructor(lengthMs: number, now: () => number = () => performance.now()) {
    this.lengthMs = lengthMs;
    this.#now = now;
  }

  /** Undefined if nothing ever expires. */
  add(target: Expiring): Deadline | undefined {
    if (this.lengthMs === 0) return undefined;
    const deadline = new Deadline(target, this.#now() + this.lengthMs, this.#last);
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.later = deadline;
    this.#last = deadline;
    // A timer that is set for one that has gone meanwhile finds nothing due and goes on to the next.
    if (this.#timer === undefined) this.#arm(this.lengthMs);
    return deadline;
  }

  /** Harmless for one that has expired or was removed. */
  remove(deadline: Deadline): void {
    if (!deadline.isWaiting) return;
    deadline.isWaiting = false;
    const { earlier, later } = deadline;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    // An old link must not keep what came after it alive.
    deadline.earlier = undefined;
    deadline.later = undefined;
  }

  /** Nothing that waits now will expire. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#first !== undefined) this.remove(this.#first);
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => this.#onTimer(), Math.ceil(delayMs));
    this.#timer.unref();
  }

  #onTimer(): void {
    this.#timer = undefined;
    const nowMs = this.#now();
    for (let first = this.#first; first !== undefined && first.atMs <= nowMs; first = this.#first) {
      this.remove(first);
      first.target.expire();
    }
    // Whoever was added meanwhile may have set it already.
    if (this.#first !== undefined && this.#timer === undefined) this.#arm(this.#first.atMs - nowMs);
  }
}
