import type { Clock } from "../ports/clock.ts";
import type { EntryHead, EntryKind, OutgoingEntry } from "./entries.ts";
import type { History, SaveListener } from "./history.ts";
import type { OperationLike } from "./host.ts";

/** An entry of this process, until it is delivered. */
export interface Outgoing extends OutgoingEntry {
  readonly value: unknown;
  /** Undefined for entries that no call waits for. */
  readonly operation: OperationLike | undefined;
  isSaved: boolean;
}

/** What becomes an entry. `payload`: stored text of the value, undefined for none. */
export interface NewEntry {
  readonly id: string;
  readonly kind: EntryKind;
  readonly src: string | undefined;
  readonly outcome: "value" | "error";
  readonly payload: string | undefined;
  readonly value: unknown;
  readonly operation: OperationLike | undefined;
  readonly isForeign: boolean;
  readonly out: number;
  readonly consumesSignalId?: number | undefined;
  readonly beginsRun?: number | undefined;
  /** Where its time is known already: what `timeOfNext` said. Default now. */
  readonly at?: number;
}

/** Numbers the results of a run, saves them, and gives them back in the order of their numbers: one leaves when it and all before it are
 *  saved, whatever order the saves end in. */
export class Outbox {
  readonly #history: History;
  readonly #clock: Clock;
  readonly #listener: SaveListener;
  #entries: Outgoing[] = [];
  #head = 0;
  #unsaved = 0;
  /** While the answer of a `patched` may be lost, nothing is delivered: a later process that takes the other way must contradict nobody. */
  #unsavedPatches = 0;
  #lastSeq = 0;
  #lastAt: number;
  #delivered: { readonly seq: number; readonly count: number; readonly id: string } = { seq: 0, count: 0, id: "" };

  constructor(history: History, clock: Clock, listener: SaveListener, startedAt: number) {
    this.#history = history;
    this.#clock = clock;
    this.#listener = listener;
    this.#lastAt = startedAt;
  }

  /** Entries that are not durable yet. */
  get unsaved(): number {
    return this.#unsaved;
  }

  get isReady(): boolean {
    return this.#unsavedPatches === 0 && this.#entries[this.#head]?.isSaved === true;
  }

  /** Nothing is on its way, neither to the store nor to the code. */
  get isEmpty(): boolean {
    return this.#head === this.#entries.length;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** After a replay: new numbers start above all that were seen. */
  continueAfter(seq: number): void {
    this.#lastSeq = seq;
  }

  /** Never earlier than what was seen, whatever the clock says. */
  timeOfNext(): number {
    this.#lastAt = Math.max(this.#lastAt, this.#clock.now());
    return this.#lastAt;
  }

  /** Gives it the next number and the time, and sends it to be saved. */
  add(entry: NewEntry): void {
    const { id, kind, src, outcome, payload, value, operation, isForeign, out } = entry;
    const seq = ++this.#lastSeq;
    const at = entry.at ?? this.timeOfNext();
    const head: EntryHead = { seq, at, kind, src, foreign: isForeign, out, after: this.#after() };
    const { consumesSignalId, beginsRun } = entry;
    const outgoing: Outgoing = {
      id,
      head,
      outcome,
      payload,
      consumesSignalId,
      beginsRun,
      value,
      operation,
      isSaved: false,
    };
    this.#entries.push(outgoing);
    this.#unsaved++;
    if (kind === "patch") this.#unsavedPatches++;
    this.#history.save(outgoing, this.#listener);
  }

  /** Puts in an entry that was found stored, to be delivered like the others. */
  addSaved(entry: Omit<Outgoing, "isSaved">): void {
    this.#entries.push({ ...entry, isSaved: true });
  }

  saved(entry: Outgoing): void {
    entry.isSaved = true;
    this.#unsaved--;
    if (entry.head.kind === "patch") this.#unsavedPatches--;
  }

  /** The next to deliver; undefined while the oldest is not saved. */
  take(): Outgoing | undefined {
    if (!this.isReady) return undefined;
    const entry = this.#entries[this.#head++];
    // Freed in halves, so that taking stays cheap and what was delivered is not kept.
    if (this.#head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
    } else if (this.#head > 32 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }

  /** What is left when nobody is there to take it. */
  undelivered(): readonly Outgoing[] {
    return this.#entries.slice(this.#head);
  }

  /** An entry, of this process or replayed, has its turn. */
  noteDelivery(seq: number, at: number, id: string): void {
    this.#lastAt = Math.max(this.#lastAt, at);
    if (!this.#history.isSparse) return;
    const count = this.#delivered.count + 1;
    this.#delivered = seq > this.#delivered.seq ? { seq, count, id } : { ...this.#delivered, count };
  }

  #after(): EntryHead["after"] {
    if (!this.#history.isSparse || this.#delivered.count === 0) return undefined;
    const { seq, count, id } = this.#delivered;
    return [seq, count, id];
  }
}
