import type { RunListener } from "./control.ts";
import type { InboxPart } from "./host.ts";

/** Tells the runtime whether a run moves by itself, and for which signals it waits. */
export class Rest {
  readonly #listener: RunListener;
  readonly #inbox: InboxPart;
  /** Asked of the outside and not answered. */
  #asked = 0;
  #isIdle = false;
  #wanted: readonly string[];

  constructor(listener: RunListener, inbox: InboxPart) {
    this.#listener = listener;
    this.#inbox = inbox;
    this.#wanted = inbox.wanted;
  }

  get isAsking(): boolean {
    return this.#asked > 0;
  }

  /** The run is not idle until the promise has settled; then `done` is called. What its other users do with it comes first. */
  askedFor<T>(work: Promise<T>, done: () => void): Promise<T> {
    this.#asked++;
    this.wake();
    const answered = (): void => {
      this.#asked--;
      done();
    };
    work.then(answered, answered);
    return work;
  }

  tellWanted(): void {
    const { wanted } = this.#inbox;
    if (wanted === this.#wanted) return;
    const isStillNothing = wanted.length === 0 && this.#wanted.length === 0;
    this.#wanted = wanted;
    if (!isStillNothing) this.#listener.wants(wanted);
  }

  /** Nothing moves but time and signals. Told once, until it goes on or was frozen. */
  rest(): void {
    if (this.#isIdle) return;
    this.#isIdle = true;
    this.#listener.idle();
  }

  /** It goes on by itself. */
  wake(): void {
    if (!this.#isIdle) return;
    this.#isIdle = false;
    this.#listener.busy();
  }

  /** It is told again, if it rests still. */
  forget(): void {
    this.#isIdle = false;
  }
}
