import { UnreadableValueError } from "../errors.ts";
import { limits } from "../limits.ts";
import { cancelId } from "./cancel.ts";
import { type Envelope, outcomeOf, readEnvelope } from "./envelope.ts";
import type { History, Replay, StoredEntry } from "./history.ts";
import { nameOfId } from "./keys.ts";
import type { Operation } from "./operation.ts";
import { type DivergenceReport, divergenceError } from "./report.ts";
import type { RunFacts } from "./run-options.ts";
import type { Clock, Timers } from "./timers.ts";

/** What a replay needs of its run. */
export interface ReplayHost {
  readonly facts: RunFacts;
  readonly history: History;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Calls that have not been answered, in call order. */
  readonly pending: ReadonlyMap<string, Operation>;
  /** Ids of calls whose caller no longer waits. */
  readonly withdrawn: ReadonlySet<string>;
  /** The workflow function has ended. */
  readonly hasEnded: boolean;
  /** Code outside durable turns has made a call. */
  readonly isForeign: boolean;
  scheduleTurn(): void;
  goLive(): void;
  diverge(error: Error): void;
}

export interface ReplayedEntry {
  readonly id: string;
  readonly envelope: Envelope;
  /** Undefined when nobody waits for it. */
  readonly value: unknown;
}

/** Gives a resumed run its stored entries, one a turn, in their recorded order, and judges whether the code still calls them. */
export class Replayer {
  readonly #host: ReplayHost;
  readonly #replay: Replay;
  /** Called since the history was last asked. */
  #called: string[] = [];
  /** Ascending, but where foreign turns are in play. */
  readonly #delivered: number[] = [];
  #next: { readonly entry: StoredEntry; readonly envelope: Envelope } | undefined;
  #isAsking = false;
  #endGrace: (() => void) | undefined;
  #isGraceOver = false;

  constructor(host: ReplayHost, replay: Replay) {
    this.#host = host;
    this.#replay = replay;
  }

  /** Entries delivered so far. */
  get count(): number {
    return this.#delivered.length;
  }

  get lastSeq(): number {
    return this.#delivered.at(-1) ?? 0;
  }

  get seqMax(): number {
    return Math.max(this.#replay.seqMax, this.lastSeq);
  }

  /** The code has made a call. */
  note(id: string): void {
    this.#called.push(id);
    if (!this.#endGrace) return;
    // What the judge was waiting for, perhaps.
    this.#endGrace();
    this.#endGrace = undefined;
    this.#host.scheduleTurn();
  }

  /** The entry whose turn it is. */
  take(): ReplayedEntry | undefined {
    const next = this.#next;
    if (!next) return undefined;
    this.#next = undefined;
    const { entry, envelope } = next;
    try {
      const value = this.#host.pending.has(entry.id) ? outcomeOf(envelope) : undefined;
      this.#commit(envelope);
      return { id: entry.id, envelope, value };
    } catch (cause) {
      void this.#diverge(entry, unreadable(cause));
      return undefined;
    }
  }

  /** The code stands still: finds the next entry, or the end of the replay, or a divergence. */
  advance(): void {
    while (!this.#isAsking && !this.#next && !this.#endGrace) {
      const called = this.#called;
      this.#called = [];
      const answer = this.#replay.peek(called);
      if (answer instanceof Promise) {
        this.#wait(answer);
        return;
      }
      if (!this.#judge(answer)) return;
    }
  }

  #wait(answer: Promise<StoredEntry | undefined>): void {
    this.#isAsking = true;
    answer.then(
      (entry) => {
        this.#isAsking = false;
        // Foreign code may have called something meanwhile; then the answer is out of date.
        if (this.#called.length > 0 || this.#judge(entry)) this.advance();
      },
      () => {},
    );
  }

  /** True: go on to the next entry at once. */
  #judge(entry: StoredEntry | undefined): boolean {
    if (!entry) {
      this.#host.goLive();
      return false;
    }
    const envelope = this.#parse(entry);
    if (!envelope) return false;
    const note = this.#fault(entry, envelope);
    if (note === "await") return false;
    if (note !== undefined) {
      void this.#diverge(entry, note);
      return false;
    }
    if (this.#host.hasEnded) {
      // Called, but nobody is left to be told.
      this.#commit(envelope);
      return true;
    }
    this.#next = { entry, envelope };
    this.#host.scheduleTurn();
    return false;
  }

  #commit(envelope: Envelope): void {
    this.#replay.take();
    this.#delivered.push(envelope.seq);
    this.#isGraceOver = false;
  }

  #parse(entry: StoredEntry): Envelope | undefined {
    try {
      return readEnvelope(entry.text);
    } catch (cause) {
      void this.#diverge(entry, unreadable(cause));
      return undefined;
    }
  }

  /** What is wrong with this entry coming next: nothing, a note for the report, or "await": nobody can tell yet. */
  #fault(entry: StoredEntry, envelope: Envelope): "await" | string | undefined {
    const host = this.#host;
    const operation = host.pending.get(entry.id);
    if (!operation && !host.withdrawn.has(entry.id) && entry.id !== cancelId) {
      return this.#mayStillBeCalled(envelope) ? "await" : "";
    }
    if (operation && operation.kind !== envelope.kind) return `The same id, but now it is a ${operation.kind}.`;
    if (host.isForeign || envelope.foreign) return undefined;
    if (envelope.seq <= this.lastSeq) return "It was recorded before results that the code has been given already.";
    if (envelope.after && this.#countUpTo(envelope.after[0]) !== envelope.after[1]) return "";
    return undefined;
  }

  /** Foreign code may call later what is missing now; it gets some time. */
  #mayStillBeCalled(envelope: Envelope): boolean {
    const { isForeign, hasEnded, clock, timers } = this.#host;
    if (hasEnded || this.#isGraceOver || !(isForeign || envelope.foreign)) return false;
    this.#endGrace = timers.set(clock.now() + limits.foreignGraceMs, () => {
      this.#endGrace = undefined;
      this.#isGraceOver = true;
      this.advance();
    });
    return true;
  }

  /** How many of the delivered entries have at most this seq. */
  #countUpTo(seq: number): number {
    let count = this.#delivered.length;
    while (count > 0 && (this.#delivered[count - 1] ?? 0) > seq) count--;
    return count;
  }

  async #diverge(entry: StoredEntry, note: string): Promise<void> {
    this.#isAsking = true;
    const missing = await this.#firstMissing(entry);
    const head = missing.seq === undefined ? undefined : tryReadEnvelope(missing.text);
    const report: DivergenceReport = {
      workflow: this.#host.facts.workflow,
      instanceId: this.#host.facts.instanceId,
      entry: this.#delivered.length + 1,
      entries: this.#entriesKnown(entry),
      history: {
        checkpointId: missing.id,
        kind: head?.kind ?? "foreign",
        name: nameOfId(missing.id),
        ...(head?.src ? { src: head.src } : {}),
        ...(head ? { savedAt: `${new Date(head.at).toISOString().slice(0, 19)}Z` } : {}),
      },
      code: this.#codeSide(),
      ...(note !== "" && missing === entry ? { note } : {}),
    };
    this.#host.diverge(divergenceError(report));
  }

  /** Follows the entries back, from the one that does not fit to the earliest that the replay has not met. */
  async #firstMissing(entry: StoredEntry): Promise<StoredEntry> {
    const met = new Set(this.#delivered);
    let missing = entry;
    for (let cursor: StoredEntry | undefined = entry; cursor; ) {
      if (cursor.seq !== undefined && !met.has(cursor.seq)) missing = cursor;
      const after: Envelope["after"] = cursor.seq === undefined ? undefined : tryReadEnvelope(cursor.text)?.after;
      if (!after || this.#countUpTo(after[0]) === after[1]) break;
      cursor = await this.#host.history.find(after[2]);
    }
    return missing;
  }

  #entriesKnown(entry: StoredEntry): number {
    if (this.#replay.count !== undefined) return this.#replay.count;
    const after = entry.seq === undefined ? undefined : tryReadEnvelope(entry.text)?.after;
    return Math.max(this.#delivered.length, after?.[1] ?? 0) + 1;
  }

  #codeSide(): DivergenceReport["code"] {
    if (this.#host.hasEnded) return { does: "ended" };
    for (const { id, kind, name, source } of this.#host.pending.values()) {
      if (!this.#replay.has(id)) return { does: "calls", checkpointId: id, kind, name, src: source.text };
    }
    return { does: "waits" };
  }
}

function unreadable(cause: unknown): string {
  return `What lies under this id can't be read: ${cause instanceof UnreadableValueError ? cause.message : String(cause)}.`;
}

function tryReadEnvelope(text: string): Envelope | undefined {
  try {
    return readEnvelope(text);
  } catch {
    return undefined;
  }
}
