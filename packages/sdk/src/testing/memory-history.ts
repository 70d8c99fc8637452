// A store of entries in memory with random latency, which loses unacknowledged saves by a coin when its process "crashes".

import { cancelId } from "../run/cancel.ts";
import { readSeq } from "../run/envelope.ts";
import type { History, OutgoingEntry, Replay, SaveListener, StoredEntry } from "../run/history.ts";
import { SparseReplay } from "../run/sparse-replay.ts";
import type { Rng } from "./rng.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

/** What survives a crash. */
export class MemoryStore {
  readonly entries: Map<string, string> = new Map();
  readonly attempts: Map<string, number> = new Map();
  /** The id that was saved last. */
  newest: string | undefined;

  commit(entry: OutgoingEntry): void {
    const known = this.entries.get(entry.id);
    if (known === entry.text) return;
    if (known !== undefined) throw new Error(`entry ${entry.id} was saved twice`);
    this.entries.set(entry.id, entry.text);
    this.newest = entry.id;
  }

  stored(id: string): StoredEntry | undefined {
    const text = this.entries.get(id);
    return text === undefined ? undefined : { id, text, seq: readSeq(text) };
  }
}

/** One process's view: batched and listed like an extended server, or in parallel and looked up like the base protocol. */
export class MemoryHistory implements History {
  readonly isSparse: boolean;
  readonly replay: Replay | undefined;
  readonly #store: MemoryStore;
  readonly #clock: SimulatedClock;
  readonly #rng: Rng;
  /** Under way: each group lands or is lost as one. */
  readonly #underWay = new Set<readonly OutgoingEntry[]>();
  #queue: { entry: OutgoingEntry; listener: SaveListener }[] = [];
  #isFlushing = false;
  #isCrashed = false;
  heartbeats = 0;

  constructor(store: MemoryStore, options: { clock: SimulatedClock; rng: Rng; sparse: boolean }) {
    this.#store = store;
    this.#clock = options.clock;
    this.#rng = options.rng;
    this.isSparse = options.sparse;
    const isFresh = store.entries.size === 0 && store.attempts.size === 0;
    this.replay = isFresh ? undefined : options.sparse ? this.#sparseReplay() : new ListReplay(store);
  }

  /** The process dies: nothing is called back any more, each group under way has landed or not. */
  crash(): void {
    this.#isCrashed = true;
    for (const group of this.#underWay) {
      if (this.#rng() < 0.5) for (const entry of group) this.#store.commit(entry);
    }
    this.#underWay.clear();
  }

  get isIdle(): boolean {
    return this.#underWay.size === 0 && this.#queue.length === 0;
  }

  save(entry: OutgoingEntry, listener: SaveListener): void {
    if (this.isSparse) {
      this.#send([{ entry, listener }], () => {});
      return;
    }
    this.#queue.push({ entry, listener });
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#clock.after(0, () => this.#flush());
  }

  find(id: string): Promise<StoredEntry | undefined> {
    return new Promise((resolve) => {
      this.#clock.after(this.#rng() * 3, () => {
        if (!this.#isCrashed) resolve(this.#store.stored(id));
      });
    });
  }

  attemptOf(id: string): Promise<number> {
    return Promise.resolve(this.#store.attempts.get(id) ?? 1);
  }

  announceAttempt(id: string, attempt: number): void {
    if (!this.#isCrashed) this.#store.attempts.set(id, attempt);
  }

  heartbeat(): void {
    this.heartbeats++;
  }

  /** One atomic batch under way, the next is what has gathered meanwhile. */
  #flush(): void {
    const batch = this.#queue;
    this.#queue = [];
    if (batch.length === 0 || this.#isCrashed) {
      this.#isFlushing = false;
      return;
    }
    this.#send(batch, () => this.#flush());
  }

  #send(batch: readonly { entry: OutgoingEntry; listener: SaveListener }[], then: () => void): void {
    const group = batch.map(({ entry }) => entry);
    this.#underWay.add(group);
    this.#clock.after(this.#rng() * 20, () => {
      if (!this.#underWay.delete(group)) return;
      for (const entry of group) this.#store.commit(entry);
      this.#clock.after(this.#rng() * 5, () => {
        if (this.#isCrashed) return;
        for (const { entry, listener } of batch) listener.saved(entry);
        then();
      });
    });
  }

  #sparseReplay(): Replay {
    const { newest } = this.#store;
    const cancel = this.#store.stored(cancelId);
    const find = (id: string): Promise<StoredEntry | undefined> => this.find(id);
    return new SparseReplay(
      find,
      newest === undefined ? undefined : this.#store.stored(newest),
      cancel ? [cancel] : [],
    );
  }
}

/** The whole list is known from the start. */
class ListReplay implements Replay {
  readonly #entries: StoredEntry[];
  readonly #ids: Set<string>;
  #next = 0;

  constructor(store: MemoryStore) {
    this.#entries = [...store.entries.keys()]
      .map((id) => store.stored(id) as StoredEntry)
      .sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
    this.#ids = new Set(store.entries.keys());
  }

  get count(): number {
    return this.#entries.length;
  }

  get seqMax(): number {
    return this.#entries.at(-1)?.seq ?? 0;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  peek(): StoredEntry | undefined {
    return this.#entries[this.#next];
  }

  take(): void {
    this.#next++;
  }
}
