import { batchSize, bytesOf } from "../engines/batches.ts";
import { answer } from "../engines/callbacks.ts";
import { limits } from "../limits.ts";
import { carryOut, type Outcome } from "./carry-out.ts";
import type { Sessions } from "./connections/port.ts";
import type { Committed } from "./notices/committed.ts";
import type { Submitted } from "./submitted.ts";
import { planWaves, type Wave } from "./waves.ts";

/**
 * Carries out operations of single instances on one connection, one batch at a time: what comes in meanwhile gathers for the next. All
 * operations of an instance go through the same lane, so they keep their order, and two statements of this process never wait for one row.
 */
export class Lane {
  readonly #session: Sessions;
  readonly #committed: (committed: Committed) => void;
  #waiting: Submitted[] = [];
  #working: Promise<void> | undefined;

  /** `committed` is told of every wave that has written, after its callbacks. */
  constructor(session: Sessions, committed: (committed: Committed) => void) {
    this.#session = session;
    this.#committed = committed;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  add(submitted: Submitted): void {
    this.#waiting.push(submitted);
  }

  /** Begins to carry out what waits. */
  flush(): void {
    if (this.#working === undefined && this.#waiting.length > 0) this.#working = this.#work();
  }

  /** Resolves when nothing waits and nothing is under way. */
  async drained(): Promise<void> {
    this.flush();
    while (this.#working !== undefined) {
      await this.#working;
      this.flush();
    }
  }

  async #work(): Promise<void> {
    // So that its end, however early, comes after `flush` has noted its beginning.
    await Promise.resolve();
    try {
      while (this.#waiting.length > 0) {
        for (const wave of planWaves(this.#nextBatch())) await this.#carryOut(wave);
      }
    } finally {
      // At once after the last look: a flush that comes later must not take this for still at work.
      this.#working = undefined;
    }
  }

  async #carryOut({ step, members }: Wave<Submitted>): Promise<void> {
    const operations = members.map(({ operation }) => operation);
    const { outcomes, written } = await carryOut(this.#session, step, operations);
    for (const [index, submitted] of members.entries()) {
      const outcome = outcomes[index];
      if (outcome !== undefined) answer(submitted.done, outcome);
    }
    const saved = step === "save" ? operations.filter((_, index) => isSaved(outcomes[index])) : [];
    if (saved.length > 0 || written.length > 0) this.#committed({ saved, written });
  }

  #nextBatch(): Submitted[] {
    const waiting = this.#waiting;
    const size = batchSize(waiting, ({ operation }) => bytesOf(operation), limits.pgBatchBytesMax);
    this.#waiting = waiting.slice(size);
    return size === waiting.length ? waiting : waiting.slice(0, size);
  }
}

/** Found is not saved: nothing has changed. */
function isSaved(outcome: Outcome | undefined): boolean {
  const result = outcome?.result;
  return result !== undefined && "outcome" in result && result.outcome === "saved";
}
