import type { StoredEntry } from "./entries.ts";
import { Heap } from "./heap.ts";
import type { Replay } from "./history.ts";

/** A replay where entries can't be listed: each call is looked up, and the smallest place in the order among what was found comes next.
 *  That is the right one: the smallest entry not yet delivered was always called already, or the code has diverged. */
export class SparseReplay implements Replay {
  readonly #find: (id: string) => Promise<StoredEntry | undefined>;
  /** The entry that was saved last: a replay that ends without having met it has diverged. */
  readonly #newest: StoredEntry | undefined;
  readonly #found = new Heap<StoredEntry & { readonly seq: number }>((a, b) => a.seq < b.seq);
  readonly #ids = new Set<string>();
  #foreign: StoredEntry | undefined;
  #seqMax = 0;

  /** `newest`: undefined when nothing but the start was saved. `system`: entries that no call asks for, such as a cancel. */
  constructor(
    find: (id: string) => Promise<StoredEntry | undefined>,
    newest: StoredEntry | undefined,
    system: readonly StoredEntry[],
  ) {
    this.#find = find;
    this.#newest = newest;
    this.#seqMax = newest?.seq ?? 0;
    for (const entry of system) this.#add(entry);
  }

  readonly count: number | undefined = undefined;

  /** What the entry that was saved last says; an earlier one may say more, then some are sent twice. */
  get sent(): number {
    const sent = /^\{"\$rt":1,[^{]*?"out":(\d{1,15})[,}]/.exec(this.#newest?.text ?? "")?.[1];
    return sent === undefined ? 0 : Number(sent);
  }

  get seqMax(): number {
    return this.#seqMax;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  peek(called: readonly string[]): StoredEntry | undefined | Promise<StoredEntry | undefined> {
    if (called.length === 0) return this.#smallest();
    return Promise.all(called.map(this.#find)).then((entries) => {
      for (const entry of entries) if (entry) this.#add(entry);
      return this.#smallest();
    });
  }

  take(): void {
    this.#found.pop();
  }

  free(): void {
    this.#ids.clear();
  }

  #smallest(): StoredEntry | undefined {
    return this.#foreign ?? this.#found.peek() ?? this.#unmet();
  }

  #unmet(): StoredEntry | undefined {
    return this.#newest && !this.#ids.has(this.#newest.id) ? this.#newest : undefined;
  }

  #add(entry: StoredEntry): void {
    this.#ids.add(entry.id);
    if (entry.seq === undefined) {
      this.#foreign ??= entry;
      return;
    }
    this.#seqMax = Math.max(this.#seqMax, entry.seq);
    this.#found.push(entry as StoredEntry & { readonly seq: number });
  }
}
