import { type EntryKind, type EnvelopeHead, writeEnvelope } from "./envelope.ts";
import type { History, OutgoingEntry, SaveListener } from "./history.ts";
import type { Operation } from "./operation.ts";
import type { Clock } from "./timers.ts";

/** An entry of this process, until it is delivered. */
export interface Outgoing extends OutgoingEntry {
  readonly at: number;
  readonly kind: EntryKind;
  readonly outcome: "value" | "error";
  readonly value: unknown;
  /** Undefined for entries that no call waits for. */
  readonly operation: Operation | undefined;
  isSaved: boolean;
}

/** What becomes an entry. `payload`: stored text of the value, undefined for none. */
export type NewEntry = Pick<Outgoing, "id" | "kind" | "outcome" | "value" | "operation"> & {
  readonly payload: string | undefined;
  readonly src: string | undefined;
  readonly isForeign: boolean;
};

/** Numbers the results of a run, saves them, and gives them back in the order of their numbers: one leaves when it and all before it are
 *  saved, whatever order the saves end in. */
export class Outbox {
  readonly #history: History;
  readonly #clock: Clock;
  readonly #listener: SaveListener;
  #entries: Outgoing[] = [];
  #head = 0;
  #unsaved = 0;
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
    return this.#entries[this.#head]?.isSaved === true;
  }

  /** After a replay: new numbers start above all that were seen. */
  continueAfter(seq: number): void {
    this.#lastSeq = seq;
  }

  /** Gives it the next number and the time, and sends it to be saved. */
  add({ id, kind, src, outcome, payload, value, operation, isForeign }: NewEntry): void {
    const seq = ++this.#lastSeq;
    const at = Math.max(this.#lastAt, this.#clock.now());
    this.#lastAt = at;
    const head: EnvelopeHead = { seq, at, kind, src, foreign: isForeign, after: this.#after() };
    const text = writeEnvelope(head, outcome, payload);
    const entry: Outgoing = { id, seq, at, text, kind, outcome, value, operation, isSaved: false };
    this.#entries.push(entry);
    this.#unsaved++;
    this.#history.save(entry, this.#listener);
  }

  /** Puts in an entry that was found stored, to be delivered like the others. */
  addSaved(entry: Omit<Outgoing, "isSaved">): void {
    this.#entries.push({ ...entry, isSaved: true });
  }

  saved(entry: Outgoing): void {
    entry.isSaved = true;
    this.#unsaved--;
  }

  /** The next to deliver; undefined while the oldest is not saved. */
  take(): Outgoing | undefined {
    if (!this.isReady) return undefined;
    const entry = this.#entries[this.#head++];
    // Freed in halves, so that taking stays cheap and what was delivered is not kept.
    if (this.#head > 32 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }

  /** An entry, of this process or replayed, has its turn. */
  noteDelivery(seq: number, at: number, id: string): void {
    this.#lastAt = Math.max(this.#lastAt, at);
    const count = this.#delivered.count + 1;
    this.#delivered = seq > this.#delivered.seq ? { seq, count, id } : { ...this.#delivered, count };
  }

  #after(): EnvelopeHead["after"] {
    if (!this.#history.isSparse || this.#delivered.count === 0) return undefined;
    const { seq, count, id } = this.#delivered;
    return [seq, count, id];
  }
}
