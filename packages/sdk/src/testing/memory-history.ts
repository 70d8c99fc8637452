// A store of entries in memory with random latency, which loses unacknowledged saves by a coin when its process "crashes".

import type { QueuedSignal, RetryRecord } from "../ports/source.ts";
import type { OutgoingEntry, RunMessage, StoredEntry } from "../run/entries.ts";
import { readEnvelope, readSeq, writeEnvelope } from "../run/envelope.ts";
import type { Announced, ChildCall, History, Replay, SaveListener } from "../run/history.ts";
import { ListReplay } from "../run/list-replay.ts";
import { SparseReplay } from "../run/sparse-replay.ts";
import { cancelIdOf } from "../run/system-ids.ts";
import type { Rng } from "./rng.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

/** What goes out together. */
type Item = { readonly entry: OutgoingEntry; readonly listener: SaveListener } | { readonly message: RunMessage };

/** What survives a crash. */
export class MemoryStore {
  readonly entries: Map<string, string> = new Map();
  readonly retries: Map<string, Announced> = new Map();
  readonly children: Map<string, ChildCall> = new Map();
  /** By number, from 1 on. */
  readonly messages: string[] = [];
  /** Sent, and not consumed by an entry. */
  readonly signals: QueuedSignal[] = [];
  /** Numbers entries by their arrival, not by their place: what a store must never do. */
  renumbers = false;
  /** The number of the run that goes on, once an entry has begun it. */
  run = 1;
  /** The id that was saved last. */
  newest: string | undefined;
  #signals = 0;

  commit(entry: OutgoingEntry): void {
    const head = this.renumbers ? { ...entry.head, seq: this.entries.size + 1 } : entry.head;
    const text = writeEnvelope(head, entry.outcome, entry.payload);
    const known = this.entries.get(entry.id);
    if (known === text) return;
    if (known !== undefined) throw new Error(`entry ${entry.id} was saved twice`);
    this.entries.set(entry.id, text);
    this.newest = entry.id;
    if (entry.beginsRun !== undefined) this.run = entry.beginsRun;
    if (entry.consumesSignalId === undefined) return;
    const index = this.signals.findIndex(({ signalId }) => signalId === entry.consumesSignalId);
    if (index < 0) throw new Error(`signal ${entry.consumesSignalId} was consumed twice`);
    this.signals.splice(index, 1);
  }

  /** Doubles are told by their number; what comes must be the same, and leave no gap. */
  deliver({ number, content }: RunMessage): void {
    const text = JSON.stringify(content);
    if (number > this.messages.length + 1) throw new Error(`message ${number} came before ${this.messages.length + 1}`);
    if (number <= this.messages.length && this.messages[number - 1] !== text) {
      throw new Error(`message ${number} was ${this.messages[number - 1]} and is ${text}`);
    }
    this.messages[number - 1] = text;
  }

  send(name: string, payload: string): void {
    this.signals.push({
      signalId: ++this.#signals,
      name,
      payload: new TextEncoder().encode(payload),
      createdAtMs: 0,
    });
  }

  /** Takes over what outlives a run: the signals that nobody has consumed. */
  continueFrom(store: MemoryStore): void {
    this.signals.push(...store.signals);
    this.#signals = store.#signals;
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
  readonly #underWay = new Set<readonly Item[]>();
  #queue: Item[] = [];
  #isFlushing = false;
  #isCrashed = false;
  heartbeats = 0;

  constructor(store: MemoryStore, options: { clock: SimulatedClock; rng: Rng; sparse: boolean }) {
    this.#store = store;
    this.#clock = options.clock;
    this.#rng = options.rng;
    this.isSparse = options.sparse;
    const isFresh = store.entries.size === 0 && store.retries.size === 0;
    this.replay = isFresh ? undefined : options.sparse ? this.#sparseReplay() : this.#listReplay();
  }

  /** The process dies: nothing is called back any more, each group under way has landed or not. */
  crash(): void {
    this.#isCrashed = true;
    for (const group of this.#underWay) if (this.#rng() < 0.5) this.#commit(group);
    this.#underWay.clear();
  }

  get isIdle(): boolean {
    return this.#underWay.size === 0 && this.#queue.length === 0;
  }

  save(entry: OutgoingEntry, listener: SaveListener): void {
    this.#add({ entry, listener });
  }

  send(message: RunMessage): void {
    this.#add({ message });
  }

  find(id: string): Promise<StoredEntry | undefined> {
    return new Promise((resolve) => {
      this.#clock.after(this.#rng() * 3, () => {
        if (!this.#isCrashed) resolve(this.#store.stored(id));
      });
    });
  }

  retryOf(id: string): Announced | undefined {
    return this.#store.retries.get(id);
  }

  recordRetry({ checkpointId, attempt, nextAtMs }: RetryRecord): Promise<void> {
    if (!this.#isCrashed) this.#store.retries.set(checkpointId, { attempt, nextAtMs });
    return Promise.resolve();
  }

  startChild(child: ChildCall): Promise<void> {
    if (!this.#isCrashed) this.#store.children.set(child.instanceId, child);
    return Promise.resolve();
  }

  heartbeat(): void {
    this.heartbeats++;
  }

  #add(item: Item): void {
    if (this.isSparse) {
      this.#goOut([item], () => {});
      return;
    }
    this.#queue.push(item);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#clock.after(0, () => this.#flush());
  }

  /** One atomic batch under way, the next is what has gathered meanwhile. */
  #flush(): void {
    const batch = this.#queue;
    this.#queue = [];
    if (batch.length === 0 || this.#isCrashed) {
      this.#isFlushing = false;
      return;
    }
    this.#goOut(batch, () => this.#flush());
  }

  #goOut(group: readonly Item[], then: () => void): void {
    this.#underWay.add(group);
    this.#clock.after(this.#rng() * 20, () => {
      if (!this.#underWay.delete(group)) return;
      this.#commit(group);
      this.#clock.after(this.#rng() * 5, () => {
        if (this.#isCrashed) return;
        for (const item of group) if ("entry" in item) item.listener.saved(item.entry);
        then();
      });
    });
  }

  #commit(group: readonly Item[]): void {
    for (const item of group) {
      if ("entry" in item) this.#store.commit(item.entry);
      else this.#store.deliver(item.message);
    }
  }

  #sparseReplay(): Replay {
    const { newest } = this.#store;
    const cancel = this.#store.stored(cancelIdOf(1));
    const find = (id: string): Promise<StoredEntry | undefined> => this.find(id);
    return new SparseReplay(
      find,
      newest === undefined ? undefined : this.#store.stored(newest),
      cancel ? [cancel] : [],
    );
  }

  #listReplay(): Replay {
    const rows = [...this.#store.entries.keys()]
      .map((id) => this.#store.stored(id) as StoredEntry)
      .sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
    const last = rows.at(-1);
    const sent = last?.seq === undefined ? 0 : (readEnvelope(last.text).out ?? 0);
    return new ListReplay(rows, ({ text }) => text, sent);
  }
}
