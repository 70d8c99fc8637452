import { randomUUID } from "node:crypto";

/** Instances that have changed behind a cursor, oldest change first. */
export interface ChangedPage {
  readonly instanceIds: readonly string[];
  readonly nextCursor: string;
}

const cursorPattern = /^([0-9a-f-]{36})\.(\d{1,15})$/;

/** Whether a feed can have made it; which one is not asked. */
export function isFeedCursor(cursor: string): boolean {
  return cursorPattern.test(cursor);
}

/**
 * Which instances have changed, in the order of their last changes; nothing else is kept of them. Beyond a number the ones that changed
 * longest ago are forgotten. A cursor is the number of the last change that somebody has seen, behind the name of this memory. Pure.
 */
export class ChangedInstances {
  readonly #name: string = randomUUID();
  readonly #idsMax: number;
  readonly #numbers = new Map<string, number>();
  #last = 0;
  /** Whoever has not seen this change has missed something. */
  #forgotten = 0;

  constructor(idsMax: number) {
    this.#idsMax = idsMax;
  }

  /** Behind every change there is. */
  get cursor(): string {
    return this.#cursorAt(this.#last);
  }

  note(instanceId: string): void {
    this.#last += 1;
    this.#numbers.delete(instanceId);
    this.#numbers.set(instanceId, this.#last);
    if (this.#numbers.size <= this.#idsMax) return;
    const [oldest] = this.#numbers;
    if (oldest === undefined) return;
    const [forgottenId, number] = oldest;
    this.#numbers.delete(forgottenId);
    this.#forgotten = number;
  }

  /** Something has changed, and it is not known what. */
  noteAnything(): void {
    this.#last += 1;
    this.#forgotten = this.#last;
    this.#numbers.clear();
  }

  /** Number of changes behind the cursor; undefined = some of them are not known. Of one instance there may be several. */
  countAfter(cursor: string): number | undefined {
    const [, name, digits] = cursorPattern.exec(cursor) ?? [];
    const seen = Number(digits);
    const isKnown = name === this.#name && seen >= this.#forgotten && seen <= this.#last;
    return isKnown ? this.#last - seen : undefined;
  }

  /** The next instances behind the cursor, at most `limit`; undefined as above. */
  after(cursor: string, limit: number): ChangedPage | undefined {
    const count = this.countAfter(cursor);
    if (count === undefined) return undefined;
    const seen = this.#last - count;
    const instanceIds: string[] = [];
    let last = seen;
    for (const [instanceId, number] of this.#numbers) {
      if (number <= seen) continue;
      if (instanceIds.length === limit) return { instanceIds, nextCursor: this.#cursorAt(last) };
      instanceIds.push(instanceId);
      last = number;
    }
    return { instanceIds, nextCursor: this.cursor };
  }

  #cursorAt(number: number): string {
    return `${this.#name}.${number}`;
  }
}
