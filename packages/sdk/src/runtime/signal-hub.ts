import { limits } from "../limits.ts";
import type { InstanceSignals, OpenPoll, SignalInterest, SignalType, WorkSource } from "../ports/source.ts";
import { SourceError } from "../ports/source-error.ts";
import { isClosed, type Persistence } from "./persistence.ts";
import type { Rounds } from "./runtime.ts";

/** An instance that can be told. */
export interface Addressee {
  readonly instanceId: string;
  readonly epoch: number;
  onSignals(signals: InstanceSignals): void;
}

interface Interest {
  readonly addressee: Addressee;
  names: readonly string[];
  seenSignal: SignalType | undefined;
  /** False: too young, or put away. */
  isListening: boolean;
}

type Poll = OpenPoll<readonly InstanceSignals[]>;

/**
 * What all instances of this process wait for, in one open poll: names of signals, cancel and pause. Changes of one round travel together. An
 * instance that waits for no name is left out while it is young: until then the answers to its batches tell it.
 */
export class SignalHub {
  readonly #source: WorkSource;
  readonly #rounds: Rounds;
  readonly #persistence: Persistence;
  readonly #interests = new Map<string, Interest>();
  readonly #changed = new Set<string>();
  /** Young ones, oldest first, with the time at which they are listened for. */
  readonly #young: { readonly interest: Interest; readonly atMs: number }[] = [];
  #listening = 0;
  #revision = 0;
  #poll: Poll | undefined;
  #failures = 0;
  #isAllNew = true;
  #isDirty = false;
  #isWaiting = false;
  #isYoungArmed = false;
  #isClosed = false;

  constructor(source: WorkSource, rounds: Rounds, persistence: Persistence) {
    this.#source = source;
    this.#rounds = rounds;
    this.#persistence = persistence;
  }

  enter(addressee: Addressee): void {
    const interest: Interest = { addressee, names: [], seenSignal: undefined, isListening: false };
    this.#interests.set(addressee.instanceId, interest);
    this.#young.push({ interest, atMs: this.#source.clock.now() + limits.quickInstanceMs });
    this.#armYoung();
  }

  /** The signals that are awaited; names that are on their way are left out of them. */
  want({ instanceId }: Addressee, names: readonly string[]): void {
    const interest = this.#interests.get(instanceId);
    if (interest === undefined) return;
    interest.names = names;
    if (names.length > 0) this.#listen(interest);
    if (interest.isListening) this.#change(instanceId);
  }

  /** This signal need not be told again. */
  seen({ instanceId }: Addressee, signal: SignalType | undefined): void {
    const interest = this.#interests.get(instanceId);
    if (interest === undefined || interest.seenSignal === signal) return;
    interest.seenSignal = signal;
    if (interest.isListening) this.#change(instanceId);
  }

  leave({ instanceId }: Addressee): void {
    const interest = this.#interests.get(instanceId);
    if (interest === undefined) return;
    this.#interests.delete(instanceId);
    if (!interest.isListening) return;
    interest.isListening = false;
    this.#listening--;
    this.#change(instanceId);
  }

  /** The connection is another: what was said on the old one counts no more. */
  beginAnew(): void {
    this.#isAllNew = true;
    this.#poll = undefined;
    this.#markDirty();
  }

  /** The round is over. */
  flush(): void {
    this.#isDirty = false;
    if (this.#isClosed || this.#isWaiting) return;
    if (this.#listening === 0) {
      this.#poll?.abandon();
      this.#poll = undefined;
      this.#isAllNew = true;
      this.#changed.clear();
    } else if (this.#poll === undefined || this.#changed.size > 0) this.#ask();
  }

  /** Nobody is told any more. `isSilent`: as if the process had died. */
  close(isSilent: boolean): void {
    this.#isClosed = true;
    if (!isSilent) this.#poll?.abandon();
  }

  #listen(interest: Interest): void {
    if (interest.isListening) return;
    interest.isListening = true;
    this.#listening++;
    this.#change(interest.addressee.instanceId);
  }

  #change(instanceId: string): void {
    this.#changed.add(instanceId);
    this.#markDirty();
  }

  #markDirty(): void {
    if (this.#isDirty || this.#isClosed) return;
    this.#isDirty = true;
    this.#rounds.add(this);
  }

  #ask(): void {
    const ids = this.#isAllNew ? this.#interests.keys() : this.#changed;
    const interests: SignalInterest[] = [];
    for (const id of ids) {
      const interest = this.#interestOf(id);
      if (!interest.ended || !this.#isAllNew) interests.push(interest);
    }
    const poll = this.#source.waitSignals({
      revision: ++this.#revision,
      interests,
      replacesAll: this.#isAllNew,
      waitMs: limits.signalWaitMs,
    });
    this.#changed.clear();
    this.#isAllNew = false;
    this.#poll = poll;
    poll.answer.then(
      (answer) => this.#onAnswer(poll, answer),
      (error: unknown) => this.#onError(poll, error),
    );
  }

  #interestOf(instanceId: string): SignalInterest {
    const interest = this.#interests.get(instanceId);
    if (!interest?.isListening) return { instanceId, epoch: 0, names: [], afterSignalId: 0, ended: true };
    const { names, seenSignal, addressee } = interest;
    return {
      instanceId,
      epoch: addressee.epoch,
      names: names.length > limits.awaitedNamesMax ? names.slice(0, limits.awaitedNamesMax) : names,
      afterSignalId: 0,
      ...(seenSignal === undefined ? {} : { seenSignal }),
      ended: false,
    };
  }

  #onAnswer(poll: Poll, answer: readonly InstanceSignals[]): void {
    if (this.#isClosed) return;
    if (this.#failures > 0) this.#persistence.worked();
    this.#failures = 0;
    for (const signals of answer) {
      const interest = this.#interests.get(signals.instanceId);
      if (interest?.isListening) interest.addressee.onSignals(signals);
    }
    if (this.#poll !== poll) return;
    this.#poll = undefined;
    this.#markDirty();
  }

  #onError(poll: Poll, error: unknown): void {
    if (this.#isClosed || this.#poll !== poll || isClosed(error)) return;
    this.#poll = undefined;
    this.#isAllNew = true;
    this.#isWaiting = true;
    const cause = error instanceof Error ? error : new SourceError("AWAY", String(error));
    this.#persistence.retry(++this.#failures, cause, () => {
      this.#isWaiting = false;
      this.#markDirty();
    });
  }

  #armYoung(): void {
    const [oldest] = this.#young;
    if (this.#isYoungArmed || this.#isClosed || oldest === undefined) return;
    this.#isYoungArmed = true;
    const { clock } = this.#source;
    clock.after(Math.max(0, oldest.atMs - clock.now()), () => this.#grow());
  }

  #grow(): void {
    this.#isYoungArmed = false;
    if (this.#isClosed) return;
    const nowMs = this.#source.clock.now();
    let count = 0;
    for (const { interest, atMs } of this.#young) {
      if (atMs > nowMs) break;
      count++;
      if (this.#interests.get(interest.addressee.instanceId) === interest) this.#listen(interest);
    }
    this.#young.splice(0, count);
    this.#armYoung();
  }
}
