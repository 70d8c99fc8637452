import { type Store, type StoreError, storeLimits } from "@runtara/store";
import { limits } from "../limits.ts";
import { isStorableId } from "../validation.ts";
import type { Clock } from "./clock.ts";
import { type NextRun, Recurring } from "./recurring.ts";

/** That a process of an instance was there. `epoch` undefined = a connection that never registered. */
export interface Sign {
  readonly instanceId: string;
  readonly epoch: number | undefined;
  readonly atMs: number;
}

/** Names instances that something holds open, or held open after `sinceMs`, with the time at which it was so last. */
export type SignSource = (sinceMs: number) => Iterable<Sign>;

export interface LivenessOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Silence after which an instance that nobody launched is lost, in ms; 0 = never. */
  readonly staleAfterMs: number;
  readonly onTrouble?: (error: StoreError) => void;
}

interface Note {
  epoch: number | undefined;
  atMs: number;
}

interface Hold {
  readonly instanceId: string;
  readonly epoch: number | undefined;
}

/**
 * Which instances were heard lately, or hold a sleep or a long poll open. What calls that write would note by themselves is not repeated
 * here; the rest is gathered and handed to the store every `limits.touchFlushMs`, so that reads stay reads and replays write nothing.
 * What is held open is handed over anew a few times within the silence that would be too long.
 */
export class Liveness {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #staleAfterMs: number;
  readonly #flushEveryMs: number;
  readonly #holdEveryMs: number;
  readonly #task: Recurring;
  readonly #holds = new Set<Hold>();
  readonly #sources = new Set<SignSource>();
  #heard = new Map<string, Note>();
  #heardSinceMs: number | undefined;
  #heldAtMs: number;
  #deafUntilMs: number;
  #flushing: Promise<NextRun> | undefined;

  constructor({ store, clock, staleAfterMs, onTrouble }: LivenessOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#staleAfterMs = staleAfterMs;
    this.#holdEveryMs = staleAfterMs === 0 ? Number.POSITIVE_INFINITY : Math.ceil(staleAfterMs / 4);
    this.#flushEveryMs = Math.min(limits.touchFlushMs, this.#holdEveryMs);
    this.#heldAtMs = clock.now();
    this.#deafUntilMs = this.#heldAtMs;
    this.#task = new Recurring({ clock, run: () => this.#flush(), ...(onTrouble && { onTrouble }) });
  }

  /**
   * For the store to judge by, in ms: `staleAfterMs` and what its own knowledge may lag behind, also through other processes. So nobody is
   * lost too early, and at most that much too late. 0 = never.
   */
  get judgedAfterMs(): number {
    if (this.#staleAfterMs === 0) return 0;
    return this.#staleAfterMs + this.#flushEveryMs + storeLimits.touchEveryMs;
  }

  /** Silence before this time says nothing: this process was not there, or could not note everything. */
  get silentSinceMs(): number {
    return this.#deafUntilMs;
  }

  /** Notes a call of the instance's process. No I/O; for hot paths. An id that cannot be stored is nobody's. */
  heard(instanceId: string, epoch: number | undefined): void {
    if (isStorableId(instanceId)) this.#note(instanceId, epoch, this.#clock.now());
  }

  /** The instance counts as heard until the returned function is called (calling it again is harmless). */
  hold(instanceId: string, epoch: number | undefined): () => void {
    if (!isStorableId(instanceId)) return () => {};
    const hold: Hold = { instanceId, epoch };
    this.#holds.add(hold);
    this.#heldBegins();
    this.heard(instanceId, epoch);
    return () => {
      if (this.#holds.delete(hold)) this.heard(instanceId, epoch);
    };
  }

  /** Asks `source` from now on, each time when what is held open is handed over. The returned function takes it away again. */
  addSource(source: SignSource): () => void {
    this.#sources.add(source);
    this.#heldBegins();
    return () => void this.#sources.delete(source);
  }

  /**
   * Resolves at once while the store knows everything that is older than the lag that is allowed for, else after having told it. Rejects with
   * `StoreError`; nothing is forgotten then.
   */
  async catchUp(): Promise<void> {
    await this.#flushing?.catch(() => {});
    const nowMs = this.#clock.now();
    const isBehind = this.#heardSinceMs !== undefined && nowMs - this.#heardSinceMs > this.#flushEveryMs;
    const holdsAreBehind = this.#holdsAnything() && nowMs - this.#heldAtMs > this.#holdEveryMs;
    if (isBehind || holdsAreBehind) await this.#flush();
  }

  /** No further flushes. What was heard last is handed over once more; if the store does not take it, it is forgotten. */
  async stop(): Promise<void> {
    await this.#task.stop();
    await this.#flush().catch(() => {});
  }

  #holdsAnything(): boolean {
    return this.#holds.size > 0 || this.#sources.size > 0;
  }

  /** After a time without holds nobody is behind: what begins now is as old as now. */
  #heldBegins(): void {
    const nowMs = this.#clock.now();
    if (this.#holds.size + this.#sources.size === 1) this.#heldAtMs = nowMs;
    if (this.#holdEveryMs !== Number.POSITIVE_INFINITY) this.#task.at(this.#heldAtMs + this.#holdEveryMs);
  }

  #note(instanceId: string, epoch: number | undefined, atMs: number): void {
    const note = this.#heard.get(instanceId);
    if (note !== undefined) {
      note.atMs = Math.max(note.atMs, atMs);
      note.epoch = widerEpoch(note.epoch, epoch);
      return;
    }
    if (this.#heard.size >= limits.touchesMax) {
      this.#deafUntilMs = Math.max(this.#deafUntilMs, atMs);
      return;
    }
    this.#heard.set(instanceId, { epoch, atMs });
    this.#heardSinceMs ??= atMs;
    if (this.#heard.size >= limits.touchesMax / 2) this.#task.wake();
    else this.#task.at(this.#heardSinceMs + this.#flushEveryMs);
  }

  #flush(): Promise<NextRun> {
    this.#flushing ??= this.#handOver().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #handOver(): Promise<NextRun> {
    const nowMs = this.#clock.now();
    const heldDue = this.#holdsAnything() && nowMs - this.#heldAtMs >= this.#holdEveryMs;
    const heard = this.#heard;
    const heardSinceMs = this.#heardSinceMs;
    this.#heard = new Map();
    this.#heardSinceMs = undefined;
    try {
      await this.#tell(signsOf(heard));
      if (heldDue) {
        await this.#tell(this.#held(nowMs));
        this.#heldAtMs = nowMs;
      }
    } catch (error) {
      for (const [instanceId, { epoch, atMs }] of heard) this.#note(instanceId, epoch, atMs);
      this.#heardSinceMs = heardSinceMs ?? this.#heardSinceMs;
      throw error;
    }
    return { atMs: this.#nextFlushMs() };
  }

  #nextFlushMs(): number | undefined {
    const heardMs =
      this.#heardSinceMs === undefined ? Number.POSITIVE_INFINITY : this.#heardSinceMs + this.#flushEveryMs;
    const heldMs = this.#holdsAnything() ? this.#heldAtMs + this.#holdEveryMs : Number.POSITIVE_INFINITY;
    return Math.min(heardMs, heldMs);
  }

  *#held(nowMs: number): Iterable<Sign> {
    for (const hold of this.#holds) yield { ...hold, atMs: nowMs };
    for (const source of this.#sources) yield* source(this.#heldAtMs);
  }

  async #tell(signs: Iterable<Sign>): Promise<void> {
    for (const batch of batches(signs, limits.touchBatch)) {
      const seen = batch.map(({ instanceId, epoch, atMs }) => ({
        instanceId,
        ...(epoch === undefined ? {} : { epoch }),
        atMs,
      }));
      await this.#store.run({ kind: "touchInstances", seen });
    }
  }
}

/** The note must count if either of two calls does: one without an epoch always does, of two registrations the later one. */
function widerEpoch(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.max(a, b);
}

function* signsOf(heard: ReadonlyMap<string, Note>): Iterable<Sign> {
  for (const [instanceId, { epoch, atMs }] of heard) yield { instanceId, epoch, atMs };
}

function* batches<Item>(items: Iterable<Item>, size: number): Iterable<Item[]> {
  let batch: Item[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
