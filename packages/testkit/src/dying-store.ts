import type { Done, Notice, Operation, OperationKind, OperationOf, ResultOf, Store, StoreStats } from "@runtara/store";
import { promised } from "./disk.ts";

/** Where a process dies. */
export interface CrashPoint {
  /** The n-th commit of this life, from 1; or the one that has this checkpoint id. */
  readonly at: number | string;
  /** before: the commit is lost. after: it is durable and its answer is lost. */
  readonly when: "before" | "after";
}

/** A write of a workflow's process, as the places at which a crash makes a difference. */
export interface Commit {
  /** From 1, in this life. */
  readonly number: number;
  readonly operation: Operation;
  /** Checkpoints that it saves. */
  readonly ids: readonly string[];
}

export interface DyingStoreOptions {
  readonly disk: Store;
  /** Asked for each commit: is it the end? */
  readonly crashAt: (commit: Commit) => CrashPoint | undefined;
  /** Told once, from within `submit` or `flush`: the process is dead from here on. */
  readonly onDeath: (commit: Commit, point: CrashPoint) => void;
  /** Told of each commit that was answered. */
  readonly onCommit?: (commit: Commit) => void;
  /** How answers are held back; default: not at all. */
  readonly delay?: (instanceId: string | undefined, answer: () => void) => void;
}

/** What makes a difference; claims, leases, looks and reads make none. */
const commitKinds: ReadonlySet<OperationKind> = new Set([
  "saveBatch",
  "saveCheckpoint",
  "publish",
  "recordRetry",
  "suspendUntil",
  "startInstance",
  "acknowledgeSignal",
  "appendEvent",
  "sendCustomSignal",
  "controlInstance",
]);

interface Waiting {
  readonly operation: Operation;
  readonly done: (...outcome: unknown[]) => void;
}

/**
 * A process's view of the disk, which dies on command: at the n-th commit, at that of a checkpoint, or now. What a dead process submits is
 * lost, and nothing is answered or told any more; what had been carried out stays.
 */
export class DyingStore implements Store {
  readonly #options: DyingStoreOptions;
  readonly #unwatch = new Set<() => void>();
  #waiting: Waiting[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  #isFlushing = false;
  #isDead = false;
  #commits = 0;
  #held = 0;

  constructor(options: DyingStoreOptions) {
    this.#options = options;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Commits so far in this life. */
  get commits(): number {
    return this.#commits;
  }

  /** Operations that wait for a flush, and answers that are held back. */
  get underWay(): number {
    return this.#isDead ? 0 : this.#waiting.length + this.#held;
  }

  submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void {
    if (this.#isDead) return;
    // The pair belongs together; a list of mixed kinds can't say so.
    this.#waiting.push({ operation, done: done as Waiting["done"] });
    this.#scheduled ??= setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#isFlushing || this.#isDead) return;
    this.#isFlushing = true;
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    while (this.#waiting.length > 0 && !this.#isDead) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const one of waiting) this.#carryOut(one);
      this.#options.disk.flush();
    }
    this.#isFlushing = false;
  }

  run<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf[K]> {
    return promised(this, operation);
  }

  watch(listener: (notice: Notice) => void): () => void {
    if (this.#isDead) return () => {};
    const stop = this.#options.disk.watch((notice) => this.#isDead || listener(notice));
    this.#unwatch.add(stop);
    return () => {
      stop();
      this.#unwatch.delete(stop);
    };
  }

  stats(): StoreStats {
    return this.#options.disk.stats();
  }

  /** Lets go of the disk, which stays. */
  async close(): Promise<void> {
    if (this.#isDead) return;
    this.flush();
    this.#die();
  }

  /** Dies now. Of what was under way `keeps` says what becomes durable; of one instance nothing behind what was lost. */
  kill(keeps: () => boolean): void {
    const waiting = this.#waiting;
    this.#die();
    const lost = new Set<string | undefined>();
    for (const { operation } of waiting) {
      const instanceId = instanceOf(operation);
      if (lost.has(instanceId) || !keeps()) lost.add(instanceId);
      else this.#options.disk.submit(operation, () => {});
    }
    this.#options.disk.flush();
  }

  #carryOut({ operation, done }: Waiting): void {
    if (this.#isDead) return;
    const { disk, crashAt, onDeath, onCommit } = this.#options;
    const commit = this.#commitOf(operation);
    const point = commit === undefined ? undefined : crashAt(commit);
    if (commit !== undefined && point !== undefined) {
      this.#die();
      if (point.when === "after") disk.submit(operation, () => {});
      disk.flush();
      onDeath(commit, point);
      return;
    }
    disk.submit(operation, (...outcome: unknown[]) => {
      if (this.#isDead) return;
      if (commit !== undefined && outcome[0] === undefined) onCommit?.(commit);
      this.#answer(instanceOf(operation), () => done(...outcome));
    });
  }

  #answer(instanceId: string | undefined, answer: () => void): void {
    const { delay } = this.#options;
    if (delay === undefined) {
      answer();
      return;
    }
    this.#held += 1;
    delay(instanceId, () => {
      this.#held -= 1;
      if (!this.#isDead) answer();
    });
  }

  #commitOf(operation: Operation): Commit | undefined {
    if (!commitKinds.has(operation.kind)) return undefined;
    this.#commits += 1;
    return { number: this.#commits, operation, ids: savedIds(operation) };
  }

  #die(): void {
    this.#isDead = true;
    this.#waiting = [];
    clearImmediate(this.#scheduled);
    for (const stop of this.#unwatch) stop();
    this.#unwatch.clear();
  }
}

function savedIds(operation: Operation): readonly string[] {
  if (operation.kind === "saveBatch") return operation.entries.map(({ checkpointId }) => checkpointId);
  return operation.kind === "saveCheckpoint" ? [operation.checkpointId] : [];
}

function instanceOf(operation: Operation): string | undefined {
  return "instanceId" in operation && typeof operation.instanceId === "string" ? operation.instanceId : undefined;
}
