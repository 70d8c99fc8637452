import { limits } from "./limits.ts";
import type { Random } from "./random.ts";

/** Waits for so many turns of the event loop. */
export function turns(count: number): Promise<void> {
  return new Promise((resolve) => {
    const next = (left: number): void => {
      if (left <= 0) resolve();
      else setImmediate(next, left - 1);
    };
    next(count);
  });
}

/** Lets bodies and answers of the store end in an order that a seed decides. */
export class Shuffle {
  readonly #random: Random;
  /** Answers of one instance stay in their order. */
  readonly #held = new Map<string | undefined, Promise<void>>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** A body that begins and ends some turns later. */
  async body(run: () => unknown): Promise<unknown> {
    await turns(this.#random.below(limits.shuffleTurnsMax));
    try {
      return await run();
    } finally {
      await turns(this.#random.below(limits.shuffleTurnsMax));
    }
  }

  answer(instanceId: string | undefined, answer: () => void): void {
    const before = this.#held.get(instanceId) ?? Promise.resolve();
    const count = this.#random.below(limits.shuffleTurnsMax);
    const held = before.then(() => turns(count)).then(answer);
    this.#held.set(instanceId, held);
    void held.then(() => {
      if (this.#held.get(instanceId) === held) this.#held.delete(instanceId);
    });
  }
}
