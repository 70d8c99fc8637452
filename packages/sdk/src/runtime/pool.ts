import type { ClaimedWork } from "../ports/source.ts";

/** What the pool must know of an instance in memory. */
export interface Member {
  readonly instanceId: string;
  readonly epoch: number;
  readonly isGone: boolean;
  /** Starts to put it away, if it is idle; whether it does. */
  suspendNow(): boolean;
  fence(why: string): void;
}

interface PoolParts<M extends Member> {
  readonly membersMax: number;
  readonly endedMax: number;
  readonly evictableMax: number;
  /** Idle ones, longest idle first. */
  idle(): Iterable<M>;
  /** Undefined: it can't be run here, and has been given back. */
  admit(work: ClaimedWork): M | undefined;
  handBack(work: readonly ClaimedWork[]): void;
}

/** The instances in memory, at most so many. Claims may ask for as many more as could be put away: their work waits until those are gone. */
export class Pool<M extends Member> {
  readonly #parts: PoolParts<M>;
  readonly #members = new Map<string, M>();
  /** Epochs of instances that were here, oldest first: an answer to a claim that was long on its way may name them again. */
  readonly #ended = new Map<string, number>();
  /** Claimed, and waiting for a place. */
  #waiting: ClaimedWork[] = [];
  readonly #evicting = new Set<M>();

  constructor(parts: PoolParts<M>) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#members.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  all(): readonly M[] {
    return [...this.#members.values()];
  }

  get(instanceId: string): M | undefined {
    return this.#members.get(instanceId);
  }

  /** How many a claim may bring: free places, and those of idle members, of which some are offered. */
  get capacity(): number {
    const free = this.#parts.membersMax - this.#members.size - this.#waiting.length;
    if (free > 0) return free;
    let idle = 0;
    for (const member of this.#parts.idle()) {
      if (!this.#evicting.has(member)) idle++;
      if (idle >= this.#parts.evictableMax) break;
    }
    return Math.max(0, Math.min(idle + free + this.#evicting.size, this.#parts.evictableMax));
  }

  take(work: readonly ClaimedWork[]): void {
    for (const one of work) if (!this.#isKnown(one)) this.#waiting.push(one);
    this.#fill();
  }

  remove(member: M): void {
    if (this.#members.get(member.instanceId) === member) this.#members.delete(member.instanceId);
    this.#evicting.delete(member);
    this.#ended.delete(member.instanceId);
    this.#ended.set(member.instanceId, member.epoch);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= this.#parts.endedMax) break;
      this.#ended.delete(oldest);
    }
    if (this.#waiting.length > 0) this.#fill();
  }

  /** A member that was to make room has gone on instead. */
  stayed(member: M): void {
    if (this.#evicting.delete(member) && this.#waiting.length > 0) this.#fill();
  }

  /** Takes what waits out of the pool. */
  takeWaiting(): readonly ClaimedWork[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  /** What runs here already is dropped; what another claim of ours has taken over ends its earlier life. */
  #isKnown({ instanceId, facts }: ClaimedWork): boolean {
    const present = this.#members.get(instanceId);
    if (present !== undefined && present.epoch < facts.epoch) present.fence("this process has claimed it anew");
    const known = this.#members.get(instanceId)?.epoch ?? this.#ended.get(instanceId) ?? 0;
    return known >= facts.epoch || this.#waiting.some((other) => other.instanceId === instanceId);
  }

  #fill(): void {
    const { membersMax, admit, idle, handBack } = this.#parts;
    while (this.#waiting.length > 0 && this.#members.size < membersMax) {
      const member = admit(this.#waiting.shift() as ClaimedWork);
      if (member && !member.isGone) this.#members.set(member.instanceId, member);
    }
    if (this.#waiting.length <= this.#evicting.size) return;
    for (const member of [...idle()]) {
      if (this.#evicting.size >= this.#waiting.length) break;
      if (!this.#evicting.has(member) && member.suspendNow()) this.#evicting.add(member);
    }
    // Nobody can be put away for them: others shall have them.
    const excess = this.#waiting.length - this.#evicting.size;
    if (excess > 0) handBack(this.#waiting.splice(-excess));
  }
}
