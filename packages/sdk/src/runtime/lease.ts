import { limits } from "../limits.ts";
import type { LeaseKeeper, WorkSource } from "../ports/source.ts";
import { isClosed, type Persistence } from "./persistence.ts";

/** Renews this worker's lease, from its first work on: every third of its length, and sooner again after a failure. Beside it a keeper stands
 *  by for times in which the event loop is busy. */
export class Lease {
  readonly #source: WorkSource;
  readonly #leaseMs: number;
  readonly #persistence: Persistence;
  readonly #onLost: (instanceIds: readonly string[]) => void;
  #keeper: LeaseKeeper | undefined;
  #isHeld = false;
  #isOver = false;
  #takeBackRenewal: () => void = () => {};
  #takeBackSign: () => void = () => {};

  constructor(
    source: WorkSource,
    leaseMs: number,
    persistence: Persistence,
    onLost: (instanceIds: readonly string[]) => void,
  ) {
    this.#source = source;
    this.#leaseMs = leaseMs;
    this.#persistence = persistence;
    this.#onLost = onLost;
  }

  /** There is work. Again: nothing. */
  hold(): void {
    if (this.#isHeld || this.#isOver) return;
    this.#isHeld = true;
    this.#keeper = this.#source.keeper(this.#leaseMs);
    this.#keeper?.sign();
    this.#armRenewal(this.#leaseMs / 3);
    if (this.#keeper) this.#armSign();
  }

  /** It ends by itself, or with what is released. */
  async close(): Promise<void> {
    this.#isOver = true;
    this.#takeBackRenewal();
    this.#takeBackSign();
    await this.#keeper?.close();
  }

  /** As if the process had died. The keeper is a thread of this process, so it ends, too. */
  vanish(): void {
    this.#isOver = true;
    void this.#keeper?.close();
  }

  #armRenewal(delayMs: number, failures = 0): void {
    this.#takeBackRenewal = this.#source.clock.after(delayMs, () => void this.#renew(failures));
  }

  #armSign(): void {
    this.#takeBackSign = this.#source.clock.after(Math.min(limits.leaseSignMs, this.#leaseMs / 6), () => {
      if (this.#isOver) return;
      this.#keeper?.sign();
      this.#armSign();
    });
  }

  async #renew(failures: number): Promise<void> {
    if (this.#isOver) return;
    try {
      const { lost } = await this.#source.renew(this.#leaseMs);
      if (this.#isOver) return;
      if (failures > 0) this.#persistence.worked();
      if (lost.length > 0) this.#onLost(lost);
      this.#armRenewal(this.#leaseMs / 3);
    } catch (error) {
      if (this.#isOver || isClosed(error)) return;
      this.#persistence.failed(error instanceof Error ? error : new Error(String(error)));
      this.#armRenewal(this.#leaseMs / 12, failures + 1);
    }
  }
}
