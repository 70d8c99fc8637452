import type { RunMessage } from "./entries.ts";
import type { History } from "./history.ts";

/** Numbers what a run publishes and emits, and lets it out in order. Each entry notes how many went before it, so a replay sends again exactly
 *  those of which nobody knows whether they arrived; what is there already is recognised by its number. */
export class Messages {
  readonly #history: History;
  /** Up to this number they are durable. */
  readonly #durable: number;
  #held: RunMessage[] | undefined;
  #count = 0;

  constructor(history: History) {
    this.#history = history;
    this.#durable = history.replay?.sent ?? 0;
    if (history.replay) this.#held = [];
  }

  /** The number of the last. */
  get count(): number {
    return this.#count;
  }

  add(content: RunMessage["content"]): void {
    const number = ++this.#count;
    if (number <= this.#durable) return;
    const message = { number, content };
    if (this.#held) this.#held.push(message);
    else this.#history.send(message);
  }

  /** Keeps what comes, until `release`. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) this.#history.send(message);
  }
}
