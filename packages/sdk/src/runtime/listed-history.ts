import { FatalError, FencedError, isRuntaraError } from "../errors.ts";
import type { BatchAnswer, BatchEntry, InstanceSession, PendingSignal, RetryRecord } from "../ports/source.ts";
import { SourceError } from "../ports/source-error.ts";
import type { OutgoingEntry, RunMessage, StoredEntry } from "../run/entries.ts";
import { readSeq, writeEnvelope } from "../run/envelope.ts";
import type { Announced, ChildCall, History, Replay, SaveListener } from "../run/history.ts";
import type { CodecContext, Sealed, Sealer, Wrapper } from "../values/codec-port.ts";
import { startChildOf } from "./children.ts";
import { nextBatch, type Outgoing } from "./outgoing.ts";
import { type Asker, isAway, isClosed, isLost, type Persistence } from "./persistence.ts";
import { readableText } from "./reports.ts";
import type { Rounds } from "./runtime.ts";
import { openEntry } from "./stored-rows.ts";

export interface ListedHistoryParts {
  readonly session: InstanceSession;
  /** Whose instance it is: when that has gone, nothing is tried again. */
  readonly asker: Asker;
  readonly rounds: Rounds;
  readonly persistence: Persistence;
  readonly sealer: Sealer;
  readonly wrapper: Wrapper;
  /** The answer to a batch has the signal that is pending. */
  onSignal(signal: PendingSignal): void;
  /** Nothing can be saved any more: fenced, over, refused, or the source is closed. Told once. */
  onBroken(error: Error): void;
  /** Everything that was given is saved. */
  onSaved(): void;
}

/** What an earlier process has left behind. */
export interface Left {
  readonly replay: Replay;
  /** The retry that was announced last, by checkpoint id. */
  readonly retries: ReadonlyMap<string, Announced>;
}

/**
 * The entries of one run, saved in the order in which they were given: one atomic batch under way, the next is what has gathered meanwhile. A
 * batch goes out at the end of a round. What the source can't take is repeated with the same bytes for as long as the process lives.
 */
export class ListedHistory implements History {
  readonly isSparse = false;
  readonly replay: Replay | undefined;
  readonly #parts: ListedHistoryParts;
  readonly #retries: ReadonlyMap<string, Announced> | undefined;
  #queue: Outgoing[] = [];
  #isDirty = false;
  /** Under way: the first so many of the queue. */
  #sent = 0;
  /** Calls beside the batches. */
  #calls = 0;
  #isClosed = false;

  constructor(parts: ListedHistoryParts, left?: Left) {
    this.#parts = parts;
    this.replay = left?.replay;
    this.#retries = left?.retries;
  }

  /** Nothing waits to be saved, and no call is under way. */
  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#calls === 0;
  }

  get isGone(): boolean {
    return this.#isClosed || this.#parts.asker.isGone;
  }

  save(entry: OutgoingEntry, listener: SaveListener): void {
    if (this.#isClosed) return;
    const { payload, id } = entry;
    const { sealer } = this.#parts;
    const item: Outgoing = { is: "entry", entry, listener, ready: undefined };
    this.#queue.push(item);
    if (payload === undefined || sealer.isPlain) {
      item.ready = batchEntry(entry, payload);
      this.#markDirty();
    } else {
      this.#seal(
        () => sealer.seal(payload, this.#at(id)),
        (sealed) => {
          item.ready = batchEntry(entry, sealed);
        },
      );
    }
  }

  send({ number, content }: RunMessage): void {
    if (this.#isClosed) return;
    const item: Outgoing = { is: "message", ready: undefined };
    this.#queue.push(item);
    const id = content.kind === "published" ? `!published:${content.key}` : `!event:${content.subtype}`;
    this.#seal(
      () => this.#parts.wrapper.wrapText(content.text, this.#at(id)),
      (bytes = nothing) => {
        item.ready =
          content.kind === "published"
            ? { number, content: { kind: "published", key: content.key, value: bytes } }
            : {
                number,
                content: { kind: "event", subtype: content.subtype, payload: bytes, createdAtMs: content.at },
              };
      },
    );
  }

  async find(id: string): Promise<StoredEntry | undefined> {
    const { session, sealer } = this.#parts;
    const state = await this.#call(() => session.find(id));
    if (state === undefined) return undefined;
    const text = await openEntry(state, sealer, this.#at(id));
    return { id, text, seq: readSeq(text) };
  }

  retryOf(id: string): Announced | undefined {
    return this.#retries?.get(id);
  }

  recordRetry(record: RetryRecord): Promise<void> {
    const { session, sealer } = this.#parts;
    const error = readableText(record.error, sealer.isPlain);
    return this.#call(() => session.recordRetry({ ...record, error }));
  }

  async startChild(child: ChildCall): Promise<void> {
    const { session, wrapper } = this.#parts;
    await startChildOf(session, wrapper, child, (call) => this.#call(call));
  }

  heartbeat(): void {
    if (!this.#isClosed) this.#parts.session.heartbeat();
  }

  /** The round is over. */
  flush(): void {
    this.#isDirty = false;
    if (this.#sent > 0 || this.#isClosed) return;
    const next = nextBatch(this.#queue);
    if (next === undefined) return;
    this.#sent = next.count;
    this.#submit(next.batch, 1);
  }

  /** Nothing more goes out, and nothing is called back. */
  close(): void {
    this.#isClosed = true;
    this.#queue = [];
    this.#sent = 0;
  }

  #markDirty(): void {
    if (this.#isDirty || this.#sent > 0) return;
    this.#isDirty = true;
    this.#parts.rounds.add(this);
  }

  #submit(batch: Parameters<InstanceSession["save"]>[0], attempt: number): void {
    const { session, persistence } = this.#parts;
    session.save(batch, (error, answer) => {
      if (this.#isClosed) return;
      if (error === undefined) {
        if (attempt > 1) persistence.worked();
        this.#saved(batch.entries, answer);
      } else if (isAway(error)) {
        persistence.retry(attempt, error, () => {
          if (!this.isGone) this.#submit(batch, attempt + 1);
        });
      } else {
        this.#broken(error);
      }
    });
  }

  #saved(entries: readonly BatchEntry[], answer: BatchAnswer): void {
    const items = this.#sent === this.#queue.length ? this.#queue : this.#queue.slice(0, this.#sent);
    this.#queue = items === this.#queue ? [] : this.#queue.slice(this.#sent);
    this.#sent = 0;
    let index = 0;
    for (const item of items) {
      if (item.is !== "entry") continue;
      const found = answer.entries[index]?.state;
      const ours = entries[index++]?.state;
      if (found !== undefined && (ours === undefined || Buffer.compare(found, ours) !== 0)) {
        this.#refuse(
          new FencedError(`another process has saved checkpoint ${item.entry.id} of instance ${this.#instanceId}`),
          [item],
        );
        return;
      }
      item.listener.saved(item.entry);
      // Whoever was told may have closed this history.
      if (this.#isClosed) return;
    }
    if (answer.signal !== undefined) this.#parts.onSignal(answer.signal);
    if (this.#isClosed) return;
    if (this.#queue.length > 0) this.#markDirty();
    else if (this.isIdle) this.#parts.onSaved();
  }

  #broken(error: unknown): void {
    if (this.#isClosed) return;
    this.#refuse(errorOf(error, this.#instanceId), this.#queue);
  }

  #refuse(error: Error, items: readonly Outgoing[]): void {
    this.close();
    for (const item of items) if (item.is === "entry") item.listener.refused(item.entry, error);
    this.#parts.onBroken(error);
  }

  /** Makes something of the queue ready. A codec that fails is asked again and again: trouble is never an outcome. */
  #seal<Coded>(seal: () => Coded | Promise<Coded>, done: (sealed: Coded) => void, attempt = 1): void {
    const onDone = (sealed: Coded): void => {
      if (this.#isClosed) return;
      done(sealed);
      this.#markDirty();
    };
    const onError = (error: unknown): void => {
      if (this.#isClosed) return;
      if (!isRuntaraError(error, "CONFIG")) this.#broken(error);
      else
        this.#parts.persistence.retry(attempt, error, () => {
          if (!this.isGone) this.#seal(seal, done, attempt + 1);
        });
    };
    try {
      const sealed = seal();
      if (sealed instanceof Promise) sealed.then(onDone, onError);
      else onDone(sealed);
    } catch (error) {
      onError(error);
    }
  }

  /** A call that is no batch. Rejects only for reasons of the call's own, or when the run has been stopped. */
  async #call<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    if (this.#isClosed) throw new SourceError("CLOSED", `instance ${this.#instanceId} is not run here any more`);
    this.#calls++;
    try {
      return await this.#parts.persistence.repeat(this, call);
    } catch (error) {
      if (isLost(error) || isClosed(error)) this.#broken(error);
      throw error;
    } finally {
      this.#calls--;
      if (!this.#isClosed && this.isIdle) this.#parts.onSaved();
    }
  }

  #at(id: string): CodecContext {
    const { tenantId, instanceId } = this.#parts.session.work;
    return { tenantId, instanceId, id };
  }

  get #instanceId(): string {
    return this.#parts.session.work.instanceId;
  }
}

const nothing = new Uint8Array(0);

function batchEntry(
  { id, head, outcome, consumesSignalId }: OutgoingEntry,
  payload: string | Sealed | undefined,
): BatchEntry {
  const state = Buffer.from(writeEnvelope(head, outcome, payload));
  return consumesSignalId === undefined ? { checkpointId: id, state } : { checkpointId: id, state, consumesSignalId };
}

function errorOf(error: unknown, instanceId: string): Error {
  if (isLost(error)) {
    return new FencedError(`instance ${instanceId} does not belong to this process any more: ${error.message}`, {
      cause: error,
    });
  }
  if (isClosed(error) || !(error instanceof SourceError))
    return error instanceof Error ? error : new Error(String(error));
  return new FatalError(`an entry of instance ${instanceId} was refused: ${error.message}`, { cause: error });
}
