import { FencedError, StartConflictError } from "../errors.ts";
import { limits } from "../limits.ts";
import { cancelId } from "../run/cancel.ts";
import { readSeq } from "../run/envelope.ts";
import type { History, OutgoingEntry, Replay, SaveListener, StoredEntry } from "../run/history.ts";
import { SparseReplay } from "../run/sparse-replay.ts";
import type { InstanceLink } from "./instance-link.ts";
import { Limiter } from "./limiter.ts";
import { LinkClosed } from "./link.ts";
import { startId } from "./start-entry.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** The history over the base protocol: a checkpoint per entry, saved in parallel; a look-up per call on resume. */
export class BaseHistory implements History {
  readonly isSparse = true;
  readonly replay: Replay | undefined;
  readonly #link: InstanceLink;
  readonly #saves = new Limiter(limits.savesInFlightMax);
  readonly #lookups = new Limiter(limits.lookupsInFlightMax);

  private constructor(link: InstanceLink, replay: ((history: BaseHistory) => Replay) | undefined) {
    this.#link = link;
    this.replay = replay?.(this);
  }

  /** For an instance that has stored nothing but its start. */
  static fresh(link: InstanceLink): BaseHistory {
    return new BaseHistory(link, undefined);
  }

  /** For an instance whose checkpoint pointer is `newestId`. */
  static async resumed(link: InstanceLink, newestId: string): Promise<BaseHistory> {
    const [newest, cancel] = await Promise.all([
      newestId === startId ? undefined : findEntry(link, newestId),
      findEntry(link, cancelId),
    ]);
    return new BaseHistory(
      link,
      (history) => new SparseReplay((id) => history.find(id), newest, cancel ? [cancel] : []),
    );
  }

  find(id: string): Promise<StoredEntry | undefined> {
    return this.#lookups.run(() => findEntry(this.#link, id));
  }

  save(entry: OutgoingEntry, listener: SaveListener): void {
    this.#saves
      .run(() => this.#save(entry))
      .then(
        () => listener.saved(entry),
        (error: Error) => {
          // A closed link means that the run is over.
          if (!(error instanceof LinkClosed)) listener.refused(entry, error);
        },
      );
  }

  /** Retry records lie beside the checkpoints, numbered without gaps from 2: doubling finds one that is not there, halving the last that is. */
  async attemptOf(id: string): Promise<number> {
    const isAnnounced = async (attempt: number): Promise<boolean> =>
      (await this.#lookups.run(() => this.#link.getCheckpoint(`${id}::retry::${attempt}`))) !== undefined;
    let known = 1;
    let missing = 2;
    while (missing < limits.retryAttemptMax && (await isAnnounced(missing))) {
      known = missing;
      missing *= 2;
    }
    while (missing - known > 1) {
      const middle = Math.floor((known + missing) / 2);
      if (await isAnnounced(middle)) known = middle;
      else missing = middle;
    }
    return known;
  }

  announceAttempt(id: string, attempt: number, error: string): void {
    if (attempt > limits.retryAttemptMax) return;
    this.#link.attempt((calls) => calls.retryAttempt(id, attempt, error.slice(0, limits.errorTextCharsMax)));
  }

  heartbeat(): void {
    this.#link.attempt((calls) => calls.event("heartbeat"));
  }

  async #save(entry: OutgoingEntry): Promise<void> {
    const state = utf8.encode(entry.text);
    const answer = await this.#link.checkpoint(entry.id, state);
    // Our own bytes: an earlier try had succeeded and its answer was lost.
    if (!answer.found || equalBytes(answer.state, state)) return;
    if (readSeq(text.decode(answer.state)) === undefined) {
      throw new StartConflictError(
        `checkpoint ${entry.id} of instance ${this.#link.instanceId} holds a state that no workflow wrote; ids of other programs need a "::"`,
      );
    }
    throw new FencedError(
      `instance ${this.#link.instanceId} is run by another process: checkpoint ${entry.id} was saved with another result`,
    );
  }
}

/** The entry under an id. @throws NotFoundError, LinkClosed */
export async function findEntry(link: InstanceLink, id: string): Promise<StoredEntry | undefined> {
  const state = await link.getCheckpoint(id);
  if (!state) return undefined;
  const stored = text.decode(state);
  return { id, text: stored, seq: readSeq(stored) };
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
