import { FatalError, FencedError, StartConflictError, UnsupportedError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { BatchAnswer, RetryRecord } from "../../ports/source.ts";
import type { OutgoingEntry, RunMessage, StoredEntry } from "../../run/entries.ts";
import { codedOf, opened, readSeq, writeEnvelope } from "../../run/envelope.ts";
import type { Announced, Replay, SaveListener } from "../../run/history.ts";
import { SparseReplay } from "../../run/sparse-replay.ts";
import { cancelIdOf, startId } from "../../run/system-ids.ts";
import type { ListedHistoryParts } from "../../runtime/listed-history.ts";
import { isLost } from "../../runtime/persistence.ts";
import type { RunHistory } from "../../runtime/runtime.ts";
import type { CodecContext } from "../../values/codec-port.ts";
import { Limiter } from "./limiter.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** The history over the base protocol: a checkpoint for each entry, saved in parallel; a look-up for each call on resume. */
export class SparseHistory implements RunHistory {
  readonly isSparse = true;
  readonly replay: Replay | undefined;
  readonly #parts: ListedHistoryParts;
  readonly #saves = new Limiter(limits.savesInFlightMax);
  readonly #lookups = new Limiter(limits.lookupsInFlightMax);
  #calls = 0;
  #isClosed = false;

  private constructor(parts: ListedHistoryParts, replay?: (history: SparseHistory) => Replay) {
    this.#parts = parts;
    this.replay = replay?.(this);
  }

  /** `newestId`: the checkpoint that the core names as the last one; undefined or the start's: nothing else was stored. */
  static async load(parts: ListedHistoryParts, newestId: string | undefined): Promise<SparseHistory> {
    if (newestId === undefined) return new SparseHistory(parts);
    const reader = new SparseHistory(parts);
    const [newest, cancel] = await Promise.all([
      newestId === startId ? undefined : reader.find(newestId),
      reader.find(cancelIdOf(1)),
    ]);
    return new SparseHistory(
      parts,
      (history) => new SparseReplay((id) => history.find(id), newest, cancel ? [cancel] : []),
    );
  }

  /** Nothing waits to be saved, and no call is under way. */
  get isIdle(): boolean {
    return this.#calls === 0;
  }

  get isGone(): boolean {
    return this.#isClosed;
  }

  save(entry: OutgoingEntry, listener: SaveListener): void {
    if (this.#isClosed) return;
    this.#counted(this.#saves.run(() => this.#save(entry))).then(
      ({ signal }) => {
        if (this.#isClosed) return;
        listener.saved(entry);
        if (signal && !this.#isClosed) this.#parts.onSignal(signal);
        this.#rested();
      },
      (error: Error) => {
        if (!this.#isClosed) listener.refused(entry, error);
        this.#broken(error);
      },
    );
  }

  /** A custom event without a number: a replay sends again what no entry proves to have gone out. */
  send({ content }: RunMessage): void {
    if (this.#isClosed) return;
    const { session } = this.#parts;
    const [subtype, payload] =
      content.kind === "event"
        ? [content.subtype, content.text]
        : ["published", `{"key":${JSON.stringify(content.key)},"value":${content.text}}`];
    this.#counted(this.#saves.run(() => session.note(subtype, utf8.encode(payload)))).then(
      () => this.#rested(),
      (error: Error) => this.#broken(error),
    );
  }

  find(id: string): Promise<StoredEntry | undefined> {
    const { session, sealer } = this.#parts;
    return this.#lookups.run(async () => {
      const state = await session.find(id);
      if (!state) return undefined;
      const stored = text.decode(state);
      const coded = codedOf(stored);
      const plain = coded ? opened(stored, await sealer.open(coded, this.#at(id))) : stored;
      return { id, text: plain, seq: readSeq(plain) };
    });
  }

  /** Retry records lie beside the checkpoints, numbered without gaps from 2: doubling finds one that is not there, halving the last that is. */
  async retryOf(id: string): Promise<Announced | undefined> {
    if (!this.replay) return undefined;
    const { session } = this.#parts;
    const isAnnounced = async (attempt: number): Promise<boolean> =>
      (await this.#lookups.run(() => session.find(`${id}::retry::${attempt}`))) !== undefined;
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
    return known === 1 ? undefined : { attempt: known, nextAtMs: undefined };
  }

  async recordRetry(record: RetryRecord): Promise<void> {
    await this.#counted(this.#parts.session.recordRetry(record));
    this.#rested();
  }

  async startChild(): Promise<void> {
    const text = "the base protocol has no child workflows; use a core of this project (npx runtara core)";
    throw new UnsupportedError(text, "children");
  }

  heartbeat(): void {
    if (!this.#isClosed) this.#parts.session.heartbeat();
  }

  /** Nothing is called back any more. */
  close(): void {
    this.#isClosed = true;
  }

  #rested(): void {
    if (!this.#isClosed && this.isIdle) this.#parts.onSaved();
  }

  /** Told once. */
  #broken(error: Error): void {
    if (this.#isClosed) return;
    this.close();
    this.#parts.onBroken(asLost(error, this.#parts.session.work.instanceId));
  }

  async #save({ id, head, outcome, payload, consumesSignalId, beginsRun }: OutgoingEntry): Promise<BatchAnswer> {
    if (beginsRun !== undefined) {
      const what = "the base protocol has no further runs of an instance (continueAsNew)";
      const cause = new UnsupportedError(`${what}; use a core of this project (npx runtara core)`, "checkpoint-batch");
      throw new FatalError(cause.message, { cause });
    }
    const { sealer } = this.#parts;
    const sealed = payload === undefined ? undefined : await sealer.seal(payload, this.#at(id));
    const state = utf8.encode(writeEnvelope(head, outcome, sealed));
    const answer = await this.#saved({ checkpointId: id, state, consumesSignalId });
    const found = answer.entries[0]?.state;
    // Our own bytes: an earlier try had succeeded and its answer was lost.
    if (!found || Buffer.compare(found, state) === 0) return answer;
    const { instanceId } = this.#parts.session.work;
    if (readSeq(text.decode(found)) === undefined) {
      throw new StartConflictError(
        `checkpoint ${id} of instance ${instanceId} holds a state that no workflow wrote; ids of other programs need a "::"`,
      );
    }
    throw new FencedError(
      `instance ${instanceId} is run by another process: checkpoint ${id} was saved with another result`,
    );
  }

  #saved(entry: {
    checkpointId: string;
    state: Uint8Array;
    consumesSignalId: number | undefined;
  }): Promise<BatchAnswer> {
    return new Promise((resolve, reject) => {
      this.#parts.session.save({ entries: [entry], messages: [] }, (error, answer) => {
        if (error === undefined) resolve(answer);
        else reject(error);
      });
    });
  }

  async #counted<T>(call: Promise<T>): Promise<T> {
    this.#calls++;
    try {
      return await call;
    } finally {
      this.#calls--;
    }
  }

  #at(id: string): CodecContext {
    const { tenantId, instanceId } = this.#parts.session.work;
    return { tenantId, instanceId, id };
  }
}

/** What the resident takes for a fence: another process has the instance, or it is over. */
function asLost(error: Error, instanceId: string): Error {
  if (!isLost(error)) return error;
  const text = `instance ${instanceId} does not belong to this process any more: ${error.message}`;
  return new FencedError(text, { cause: error });
}
