import type { Logger } from "../api/runtime.ts";
import type { ReleasedWork, WorkSource } from "../ports/source.ts";
import { type Asker, isClosed, type Persistence } from "./persistence.ts";

/** Tells the source what this process runs no longer; what comes together is told together. */
export class Releases implements Asker {
  readonly #source: WorkSource;
  readonly #persistence: Persistence;
  readonly #logger: Logger;
  readonly #underWay = new Set<Promise<void>>();
  #waiting: ReleasedWork[] = [];
  isGone = false;

  constructor(source: WorkSource, persistence: Persistence, logger: Logger) {
    this.#source = source;
    this.#persistence = persistence;
    this.#logger = logger;
  }

  add(work: ReleasedWork): void {
    if (this.isGone) return;
    this.#waiting.push(work);
    if (this.#waiting.length > 1) return;
    const sent = Promise.resolve().then(() => this.#send());
    this.#underWay.add(sent);
    void sent.then(() => this.#underWay.delete(sent));
  }

  /** Resolves when all of them are told. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Nothing more is told. */
  vanish(): void {
    this.isGone = true;
    this.#waiting = [];
  }

  async #send(): Promise<void> {
    const work = this.#waiting;
    this.#waiting = [];
    if (work.length === 0) return;
    try {
      await this.#persistence.repeat(this, () => this.#source.release(work));
    } catch (error) {
      if (isClosed(error)) return;
      // The end of the lease does the same, later.
      this.#logger.warn({ error: String(error) }, "work could not be given back");
    }
  }
}
