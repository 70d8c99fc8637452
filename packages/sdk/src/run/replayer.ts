import { type NonDeterminismError, UnreadableValueError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import { countUpTo, diagnose } from "./diagnosis.ts";
import type { EntryKind, StoredEntry } from "./entries.ts";
import { type Envelope, outcomeOf, readEnvelope } from "./envelope.ts";
import type { History, Replay } from "./history.ts";
import type { InboxPart, OperationLike, RunFacts, TimersLike } from "./host.ts";
import { isEndOfChild } from "./operations/child-end.ts";
import { divergenceError } from "./report.ts";

/** What a replay needs of its run. */
export interface ReplayHost {
  readonly facts: RunFacts;
  readonly history: History;
  readonly clock: Clock;
  readonly timers: TimersLike;
  readonly inbox: InboxPart;
  /** Calls that have not been answered, in call order. */
  readonly pending: ReadonlyMap<string, OperationLike>;
  /** Ids of calls whose caller no longer waits. */
  readonly withdrawn: ReadonlySet<string>;
  /** The workflow function has ended. */
  readonly hasEnded: boolean;
  /** Code outside durable turns has made a call. */
  readonly isForeign: boolean;
  scheduleTurn(): void;
  goLive(): void;
  diverge(error: NonDeterminismError): void;
  /** The history can't be read any more. */
  fail(error: unknown): void;
  /** An entry of the history comes after the end of the function: nobody is left to be told. */
  passed(entry: ReplayedEntry): void;
  /** The call is answered without an entry. */
  answered(operation: OperationLike): void;
}

export interface ReplayedEntry {
  readonly id: string;
  readonly envelope: Envelope;
  /** Undefined when nobody waits for it. */
  readonly value: unknown;
}

/** Entries that no call asks for. */
function isSystem(id: string, kind: EntryKind): boolean {
  return kind === "cancel" || kind === "next" || isForInbox(id, kind);
}

/** What came from outside: signals, and the ends of children. */
export function isForInbox(id: string, kind: EntryKind): boolean {
  return kind === "signal" || (kind === "child" && isEndOfChild(id));
}

/** Gives a resumed run its stored entries, one a turn, in their recorded order, and judges whether the code still calls them. */
export class Replayer {
  readonly #host: ReplayHost;
  readonly #replay: Replay;
  /** Called since the history was last asked. */
  #called: string[] = [];
  #lastCalled: readonly string[] = [];
  /** Ascending, but where foreign turns are in play. */
  readonly #delivered: number[] = [];
  #next: { readonly entry: StoredEntry; readonly envelope: Envelope } | undefined;
  readonly #skipped = new Set<string>();
  /** Called, and only a look-up tells whether they have an entry. */
  #patches: OperationLike[] = [];
  #arePatchesDue = false;
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
    this.looksAgain();
  }

  /** The code has made a call that is found by no id of its own: it is perhaps what the judge was waiting for. */
  looksAgain(): void {
    if (!this.#endGrace) return;
    this.#endGrace();
    this.#endGrace = undefined;
    this.#host.scheduleTurn();
  }

  /** `patched` was called: false while entries are left and none is its own; else its entry's turn, or the end of the replay, answers. */
  patch(operation: OperationLike): void {
    const { id } = operation;
    if (this.#skipped.has(id)) this.#answer(operation, true);
    else if (this.#replay.has(id)) this.note(id);
    else if (this.#replay.count === undefined) {
      this.#patches.push(operation);
      this.note(id);
    } else if (this.#replay.peek([]) !== undefined) this.#answer(operation, false);
  }

  #answer(operation: OperationLike, value: boolean): void {
    this.#host.answered(operation);
    operation.settle("value", value);
  }

  /** The entry whose turn it is. */
  take(): ReplayedEntry | undefined {
    if (this.#arePatchesDue) this.#answerPatches();
    const next = this.#next;
    if (!next) return undefined;
    this.#next = undefined;
    const { entry, envelope } = next;
    try {
      const isWanted = isSystem(entry.id, envelope.kind) || this.#host.pending.has(entry.id);
      const value = isWanted ? outcomeOf(envelope) : undefined;
      this.#commit(envelope);
      return { id: entry.id, envelope, value };
    } catch (cause) {
      this.#diverge(entry, unreadable(cause));
      return undefined;
    }
  }

  /** The code stands still: finds the next entry, or the end of the replay, or a divergence. */
  advance(): void {
    while (!this.#isAsking && !this.#next && !this.#endGrace) {
      const called = this.#called;
      this.#called = [];
      if (called.length > 0) this.#lastCalled = called;
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
      (error: unknown) => this.#host.fail(error),
    );
  }

  /** True: go on to the next entry at once. */
  #judge(entry: StoredEntry | undefined): boolean {
    if (!entry) {
      this.#host.goLive();
      return false;
    }
    if (this.#replay.count === undefined && this.#hasUnansweredPatches()) {
      this.#arePatchesDue = true;
      this.#host.scheduleTurn();
      return false;
    }
    const envelope = this.#parse(entry);
    if (!envelope) return false;
    const note = this.#fault(entry, envelope);
    if (note === "await") return false;
    if (note !== undefined) {
      this.#diverge(entry, note);
      return false;
    }
    if (this.#isSkipped(entry, envelope)) {
      this.#skipped.add(entry.id);
      this.#replay.take();
      return true;
    }
    if (this.#host.hasEnded) {
      this.#next = { entry, envelope };
      const passed = this.take();
      if (passed) this.#host.passed(passed);
      return passed !== undefined;
    }
    this.#next = { entry, envelope };
    this.#host.scheduleTurn();
    return false;
  }

  /** Looked up, not found, and there are entries still: the answer is no, in a turn of its own. */
  #hasUnansweredPatches(): boolean {
    this.#patches = this.#patches.filter((operation) => !operation.isSettled && !this.#replay.has(operation.id));
    return this.#patches.length > 0;
  }

  #answerPatches(): void {
    this.#arePatchesDue = false;
    const patches = this.#patches;
    this.#patches = [];
    for (const operation of patches) this.#answer(operation, false);
  }

  /** The answer of a `patched` that nobody asks for any more. */
  #isSkipped(entry: StoredEntry, envelope: Envelope): boolean {
    return envelope.kind === "patch" && !this.#host.pending.has(entry.id);
  }

  #commit(envelope: Envelope): void {
    this.#replay.take();
    // Patches may come and go between two versions of the code, so nobody counts them.
    if (envelope.kind !== "patch") this.#delivered.push(envelope.seq);
    this.#isGraceOver = false;
  }

  #parse(entry: StoredEntry): Envelope | undefined {
    try {
      if (entry.fault) throw entry.fault;
      return readEnvelope(entry.text);
    } catch (cause) {
      this.#diverge(entry, unreadable(cause));
      return undefined;
    }
  }

  /** What is wrong with this entry coming next: nothing, a note for the report, or "await": nobody can tell yet. */
  #fault(entry: StoredEntry, envelope: Envelope): "await" | string | undefined {
    const host = this.#host;
    const operation = host.pending.get(entry.id);
    if (!operation && !host.withdrawn.has(entry.id) && !this.#isUncalled(entry, envelope)) {
      return this.#mayStillBeCalled(envelope) ? "await" : "";
    }
    if (operation && operation.kind !== envelope.kind) return `The same id, but now it is a ${operation.kind}.`;
    if (host.isForeign || envelope.foreign) return undefined;
    if (envelope.seq <= this.lastSeq) return "It was recorded before results that the code has been given already.";
    if (envelope.after && countUpTo(this.#delivered, envelope.after[0]) !== envelope.after[1]) return "";
    return undefined;
  }

  /** Entries that come without a call: what the inbox expects, and what belongs to the run itself. */
  #isUncalled({ id }: StoredEntry, { kind }: Envelope): boolean {
    if (isForInbox(id, kind)) return this.#host.hasEnded || this.#host.inbox.expects(id);
    if (kind === "next") return this.#host.hasEnded;
    return kind === "cancel" || kind === "patch";
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

  #diverge(entry: StoredEntry, note: string): void {
    this.#isAsking = true;
    const { facts, history, pending, hasEnded } = this.#host;
    const [replay, delivered, lastCalled] = [this.#replay, this.#delivered, this.#lastCalled];
    diagnose({ facts, history, replay, entry, note, delivered, pending, lastCalled, hasEnded }).then(
      (report) => this.#host.diverge(divergenceError(report)),
      (error: unknown) => this.#host.fail(error),
    );
  }
}

function unreadable(cause: unknown): string {
  return `What lies under this id can't be read: ${cause instanceof UnreadableValueError ? cause.message : String(cause)}.`;
}
