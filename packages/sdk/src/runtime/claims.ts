import { limits } from "../limits.ts";
import type { ClaimAnswer, ClaimedWork, OpenPoll, WorkflowOffer, WorkSource } from "../ports/source.ts";
import { SourceError } from "../ports/source-error.ts";
import { isClosed, type Persistence } from "./persistence.ts";
import type { Rounds } from "./runtime.ts";

interface ClaimsParts {
  readonly source: WorkSource;
  readonly rounds: Rounds;
  readonly persistence: Persistence;
  offers(): readonly WorkflowOffer[];
  /** How many instances could be taken now. */
  capacity(): number;
  onWork(work: readonly ClaimedWork[]): void;
}

interface OpenClaim {
  readonly poll: OpenPoll<ClaimAnswer>;
  readonly capacity: number;
  readonly offersRevision: number;
}

/** The one claim that is held open: renewed when it is answered, when the offers change, and when there is much more room than it says. */
export class Claims {
  readonly #parts: ClaimsParts;
  #open: OpenClaim | undefined;
  /** Claims without an answer, overtaken ones too. */
  readonly #unanswered = new Set<Promise<unknown>>();
  #received = 0;
  #offersRevision = 0;
  #failures = 0;
  #isDirty = false;
  #isWaiting = false;
  #isClosed = false;

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  /** Offers have been added. */
  offersChanged(): void {
    this.#offersRevision++;
    this.update();
  }

  /** There is more room, or less. At most one new claim a round follows. */
  update(): void {
    if (this.#isDirty || this.#isClosed) return;
    this.#isDirty = true;
    this.#parts.rounds.add(this);
  }

  /** The connection is another. */
  beginAnew(): void {
    this.#open = undefined;
    this.update();
  }

  /** The round is over. */
  flush(): void {
    this.#isDirty = false;
    if (this.#isClosed || this.#isWaiting || this.#offersRevision === 0) return;
    const capacity = Math.min(this.#parts.capacity(), limits.claimCapacityMax);
    if (this.#open === undefined ? capacity > 0 : this.#isOutdated(this.#open, capacity)) this.#claim(capacity);
  }

  /** Ends the open claim by one that takes nothing. Resolves when every claim is answered: what they brought has been told. */
  async end(): Promise<void> {
    this.#isClosed = true;
    if (this.#unanswered.size === 0) return;
    this.#claim(0);
    await Promise.all(this.#unanswered);
  }

  /** Nothing more is told, as if the process had died. */
  vanish(): void {
    this.#isClosed = true;
    this.#open = undefined;
  }

  #isOutdated({ capacity, offersRevision }: OpenClaim, present: number): boolean {
    return offersRevision !== this.#offersRevision || present >= 2 * capacity + 1;
  }

  #claim(capacity: number): void {
    const { source, offers } = this.#parts;
    const waitMs = capacity === 0 ? 1 : limits.claimWaitMs;
    const poll = source.claim({ offers: offers(), capacity, received: this.#received, waitMs });
    const open = { poll, capacity, offersRevision: this.#offersRevision };
    this.#open = open;
    const answered = poll.answer.then(
      (answer) => this.#onAnswer(open, answer),
      (error: unknown) => this.#onError(open, error),
    );
    this.#unanswered.add(answered);
    void answered.then(() => this.#unanswered.delete(answered));
  }

  #onAnswer(claim: OpenClaim, { sequence, work }: ClaimAnswer): void {
    if (this.#failures > 0) this.#parts.persistence.worked();
    this.#failures = 0;
    this.#received = Math.max(this.#received, sequence);
    if (this.#open === claim) this.#open = undefined;
    if (work.length > 0) this.#parts.onWork(work);
    this.update();
  }

  #onError(claim: OpenClaim, error: unknown): void {
    if (this.#open !== claim) return;
    this.#open = undefined;
    if (this.#isClosed || isClosed(error)) return;
    this.#isWaiting = true;
    const cause = error instanceof Error ? error : new SourceError("AWAY", String(error));
    this.#parts.persistence.retry(++this.#failures, cause, () => {
      this.#isWaiting = false;
      this.update();
    });
  }
}
