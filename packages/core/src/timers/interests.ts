import type { SignalType } from "@runtara/store";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";

/** What a connection wants to hear of one instance. */
export interface SignalInterest {
  readonly instanceId: string;
  readonly epoch: number;
  /** Names of queued signals. Empty = only the instance-wide signal. */
  readonly names: readonly string[];
  /** Only queued signals with a higher id. */
  readonly afterSignalId: number;
  /** The instance-wide signal that the client has seen already. */
  readonly seenSignal?: SignalType | undefined;
  /** Forget this instance. */
  readonly ended: boolean;
}

/** An interest that stands. Replaced, never changed, so that a result can be told from one that came before. */
export interface Standing {
  readonly interest: SignalInterest;
  readonly revision: number;
}

/** Instances that a change has brought, and those that it has taken away. */
export interface InterestChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/**
 * The interests of one connection, and which of them have to be read. Polls may arrive in any order: of two interests in one instance the one of
 * the higher revision stands. An interest is unread from its arrival, and again with each notice, until a read of it has found nothing.
 */
export class Interests {
  readonly #standing = new Map<string, Standing>();
  /** Ids in the order in which they are to be read. */
  readonly #unread = new Set<string>();
  /** The revision at which an instance was ended, oldest first. */
  readonly #ended = new Map<string, number>();
  #replacedBefore = 0;
  #characters = 0;

  get size(): number {
    return this.#standing.size;
  }

  all(): Iterable<Standing> {
    return this.#standing.values();
  }

  /** Takes over what a poll says, all of it or, with an error, nothing. */
  apply(revision: number, interests: readonly SignalInterest[], replacesAll: boolean): InterestChange | CoreError {
    const excess = this.#excessOf(interests, replacesAll);
    if (excess !== undefined) return excess;
    const removed = replacesAll ? this.#forgetBefore(revision, interests) : [];
    const added: string[] = [];
    for (const interest of interests) {
      const { instanceId, ended } = interest;
      if (this.#isOutdated(instanceId, revision)) continue;
      if (ended) {
        this.#rememberEnd(instanceId, revision);
        if (this.remove(instanceId)) removed.push(instanceId);
      } else if (this.#put({ interest, revision })) added.push(instanceId);
    }
    return { added, removed };
  }

  /** Whether it was there. */
  remove(instanceId: string): boolean {
    const standing = this.#standing.get(instanceId);
    if (standing === undefined) return false;
    this.#characters -= charactersOf(standing.interest);
    this.#unread.delete(instanceId);
    return this.#standing.delete(instanceId);
  }

  /** Something may have happened to it. */
  markUnread(instanceId: string): void {
    if (this.#standing.has(instanceId)) this.#unread.add(instanceId);
  }

  markAllUnread(): void {
    for (const instanceId of this.#standing.keys()) this.#unread.add(instanceId);
  }

  /** The next interests to read, at most `count`. They count as read until they are marked again. */
  take(count: number): Standing[] {
    const taken: Standing[] = [];
    for (const instanceId of this.#unread) {
      if (taken.length >= count) break;
      this.#unread.delete(instanceId);
      const standing = this.#standing.get(instanceId);
      if (standing !== undefined) taken.push(standing);
    }
    return taken;
  }

  /** Whether this very interest still stands. */
  stands(standing: Standing): boolean {
    return this.#standing.get(standing.interest.instanceId) === standing;
  }

  #isOutdated(instanceId: string, revision: number): boolean {
    if (revision < this.#replacedBefore) return true;
    const latest = this.#standing.get(instanceId)?.revision ?? this.#ended.get(instanceId);
    return latest !== undefined && latest > revision;
  }

  /** Whether the instance is new. */
  #put(standing: Standing): boolean {
    const { instanceId } = standing.interest;
    const before = this.#standing.get(instanceId);
    if (before !== undefined) this.#characters -= charactersOf(before.interest);
    this.#characters += charactersOf(standing.interest);
    this.#standing.set(instanceId, standing);
    this.#ended.delete(instanceId);
    this.#unread.add(instanceId);
    return before === undefined;
  }

  #forgetBefore(revision: number, interests: readonly SignalInterest[]): string[] {
    this.#replacedBefore = Math.max(this.#replacedBefore, revision);
    const named = new Set(interests.map(({ instanceId }) => instanceId));
    const outdated = [...this.#standing].filter(([id, standing]) => standing.revision < revision && !named.has(id));
    for (const [instanceId] of outdated) this.remove(instanceId);
    return outdated.map(([instanceId]) => instanceId);
  }

  #rememberEnd(instanceId: string, revision: number): void {
    this.#ended.delete(instanceId);
    this.#ended.set(instanceId, revision);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= limits.endedInterestsMax) break;
      this.#ended.delete(oldest);
    }
  }

  #excessOf(interests: readonly SignalInterest[], replacesAll: boolean): CoreError | undefined {
    let count = replacesAll ? 0 : this.#standing.size;
    let characters = replacesAll ? 0 : this.#characters;
    for (const interest of interests) {
      if (interest.ended) continue;
      const before = replacesAll ? undefined : this.#standing.get(interest.instanceId);
      count += before === undefined ? 1 : 0;
      characters += charactersOf(interest) - (before === undefined ? 0 : charactersOf(before.interest));
    }
    if (count > limits.interestsPerConnectionMax) {
      const found = `${count} instances on one connection; at most ${limits.interestsPerConnectionMax} are allowed`;
      return CoreError.validation("interests", found);
    }
    if (characters > limits.interestCharactersMax) {
      const found = `names and ids of ${characters} characters; at most ${limits.interestCharactersMax} are allowed`;
      return CoreError.validation("interests", found);
    }
    return undefined;
  }
}

function charactersOf({ instanceId, names }: SignalInterest): number {
  return names.reduce((sum, name) => sum + name.length, instanceId.length);
}
