import type { Clock } from "../ports/clock.ts";

/** Those that are idle, in the order in which they became so. Each is named once, when it has been idle for a while. */
export class IdleWatch<Member> {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #onIdleLong: (member: Member) => void;
  readonly #since = new Map<Member, number>();
  readonly #unnamed = new Set<Member>();
  #isArmed = false;
  #isClosed = false;

  constructor(clock: Clock, idleMs: number, onIdleLong: (member: Member) => void) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#onIdleLong = onIdleLong;
  }

  /** Longest idle first. */
  all(): Iterable<Member> {
    return this.#since.keys();
  }

  since(member: Member): number | undefined {
    return this.#since.get(member);
  }

  add(member: Member): void {
    this.remove(member);
    this.#since.set(member, this.#clock.now());
    this.#unnamed.add(member);
    this.#arm();
  }

  remove(member: Member): void {
    if (this.#since.delete(member)) this.#unnamed.delete(member);
  }

  /** Nobody is named any more. */
  close(): void {
    this.#isClosed = true;
  }

  #arm(): void {
    if (this.#isArmed || this.#isClosed) return;
    for (const first of this.#unnamed) {
      this.#isArmed = true;
      const dueMs = (this.#since.get(first) ?? 0) + this.#idleMs;
      this.#clock.after(Math.max(0, dueMs - this.#clock.now()), () => this.#look());
      return;
    }
  }

  #look(): void {
    this.#isArmed = false;
    if (this.#isClosed) return;
    const before = this.#clock.now() - this.#idleMs;
    for (const member of this.#unnamed) {
      if ((this.#since.get(member) ?? 0) > before) break;
      this.#unnamed.delete(member);
      this.#onIdleLong(member);
    }
    this.#arm();
  }
}
