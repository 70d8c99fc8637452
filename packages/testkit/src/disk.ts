import { createHash } from "node:crypto";
import type { Done, Notice, Operation, OperationKind, OperationOf, ResultOf, Store, StoreStats } from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";
import { DueTimes } from "./due-times.ts";

/**
 * What outlives a crash: a store in memory. It knows what is under way and when something becomes due, and gives instances their seed for
 * random numbers by their id, so that a test that is run again draws the same.
 */
export class Disk implements Store {
  readonly due: DueTimes = new DueTimes();
  readonly #store: Store = openMemoryStore();
  readonly #seed: number;
  /** Instances that a worker has claimed, with the epoch. */
  readonly #held = new Map<string, Map<string, number>>();
  #underWay = 0;
  /** Operations that were submitted. */
  operations = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#store.watch((notice) => this.due.notice(notice));
  }

  /** Operations that have not been answered. */
  get underWay(): number {
    return this.#underWay;
  }

  submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void {
    this.#underWay += 1;
    this.operations += 1;
    this.#store.submit(this.#seeded(operation), (...outcome) => {
      this.#underWay -= 1;
      if (outcome[0] === undefined) this.#carriedOut(operation as Operation, outcome[1]);
      done(...outcome);
    });
  }

  flush(): void {
    this.#store.flush();
  }

  run<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf[K]> {
    return promised(this, operation);
  }

  watch(listener: (notice: Notice) => void): () => void {
    return this.#store.watch(listener);
  }

  stats(): StoreStats {
    return this.#store.stats();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /** What this worker has claimed, whether it got to know of it or not. */
  heldBy(workerId: string): { readonly instanceId: string; readonly epoch: number }[] {
    const held = this.#held.get(workerId) ?? new Map<string, number>();
    return [...held].map(([instanceId, epoch]) => ({ instanceId, epoch }));
  }

  #carriedOut(operation: Operation, result: unknown): void {
    this.due.observe(operation, result);
    if (operation.kind !== "claimWork") return;
    const held = this.#held.get(operation.workerId) ?? new Map<string, number>();
    for (const { instanceId, facts } of (result as ResultOf["claimWork"]).work) held.set(instanceId, facts.epoch);
    this.#held.set(operation.workerId, held);
  }

  #seeded<K extends OperationKind>(operation: OperationOf<K>): OperationOf<K> {
    const { kind, instanceId } = operation as { kind: OperationKind; instanceId?: string };
    if (kind !== "startInstance" && kind !== "registerInstance") return operation;
    const digest = createHash("sha256").update(`${this.#seed} ${instanceId}`).digest();
    return { ...operation, seed: new Uint8Array(digest.subarray(0, 16)) };
  }
}

/** `submit` as a promise; it settles never if the store never answers. */
export function promised<K extends OperationKind>(store: Store, operation: OperationOf<K>): Promise<ResultOf[K]> {
  return new Promise((resolve, reject) => {
    store.submit<K>(operation, (error, result) =>
      error === undefined ? resolve(result as ResultOf[K]) : reject(error),
    );
  });
}
