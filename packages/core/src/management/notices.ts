import type { Store } from "@runtara/store";

/** What somebody waits for: any change of an instance, or its end alone. */
export type Awaited = "change" | "end";

/** Somebody who looks at one instance again and again. */
export class Waiter {
  readonly awaited: Awaited;
  readonly #release: (waiter: Waiter) => void;
  #isTold = false;
  #wake: (() => void) | undefined;

  constructor(awaited: Awaited, release: (waiter: Waiter) => void) {
    this.awaited = awaited;
    this.#release = release;
  }

  /** For InstanceNotices. */
  tell(): void {
    this.#isTold = true;
    this.#wake?.();
  }

  /** Looks now: what has been told before this is old. */
  async look<Seen>(look: () => Promise<Seen>): Promise<Seen> {
    this.#isTold = false;
    return look();
  }

  /** Resolves once something has been told since the last look began, or `giveUp` is called. */
  told(): { readonly told: Promise<void>; readonly giveUp: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    if (this.#isTold) resolve();
    return { told: promise, giveUp: resolve };
  }

  close(): void {
    this.#release(this);
  }
}

/** Deals the store's notices out to those who wait for one instance. Listens only while somebody does. */
export class InstanceNotices {
  readonly #store: Store;
  readonly #waiters = new Map<string, Set<Waiter>>();
  #stopWatching: (() => void) | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Number of those who wait. */
  get open(): number {
    return this.#waiters.values().reduce((sum, { size }) => sum + size, 0);
  }

  /** What happens from now on is told, so open first and read then. To be closed. */
  wait(instanceId: string, awaited: Awaited): Waiter {
    const waiter = new Waiter(awaited, (one) => this.#release(instanceId, one));
    const others = this.#waiters.get(instanceId);
    if (others === undefined) this.#waiters.set(instanceId, new Set([waiter]));
    else others.add(waiter);
    this.#stopWatching ??= this.#store.watch((notice) => {
      if (notice.topic === "instance") this.#tell(this.#waiters.get(notice.instanceId), notice.ended);
      else if (notice.topic === "anything") for (const waiters of this.#waiters.values()) this.#tell(waiters, true);
    });
    return waiter;
  }

  /** `mayHaveEnded`: else whoever waits for the end would look in vain, once per checkpoint of a running instance. */
  #tell(waiters: ReadonlySet<Waiter> | undefined, mayHaveEnded: boolean): void {
    for (const waiter of waiters ?? []) if (mayHaveEnded || waiter.awaited === "change") waiter.tell();
  }

  #release(instanceId: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(instanceId);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiters.delete(instanceId);
    if (this.#waiters.size > 0) return;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }
}
