import type { PendingSignal, SaveBatch, Store } from "@runtara/store";
import { type Answer, onResult } from "../answer.ts";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { refusal } from "../refusals.ts";
import { invalidBytes, invalidCount, invalidId, isStorableId, unstorableId } from "../validation.ts";
import { type IncomingMessage, invalidMessages, storedMessages } from "./outgoing.ts";

export interface BatchEntry {
  readonly checkpointId: string;
  readonly state: Uint8Array;
  /** See SaveBatch of the store. */
  readonly consumesSignalId?: number | undefined;
}

export interface BatchRequest {
  readonly instanceId: string;
  readonly epoch: number;
  readonly entries: readonly BatchEntry[];
  readonly messages: readonly IncomingMessage[];
  readonly beginsRun?: number | undefined;
}
export interface BatchResponse {
  /** One for each entry; `state` is undefined where it was saved, else what is stored. */
  readonly entries: readonly { readonly state: Uint8Array | undefined }[];
  readonly signal: PendingSignal | undefined;
}

export interface PublishRequest {
  readonly instanceId: string;
  readonly epoch: number;
  readonly run: number;
  readonly messages: readonly IncomingMessage[];
}
export interface PublishResponse {
  readonly lastNumber: number;
}

/** Checkpoints of one instance in one transaction, and what goes out with or without them. */
export class BatchService {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #stateBytesMax: number;

  constructor(store: Store, now: () => number, stateBytesMax: number) {
    this.#store = store;
    this.#now = now;
    this.#stateBytesMax = stateBytesMax;
  }

  /** All or none; each entry is saved or found. May be repeated. */
  save(request: BatchRequest, answer: Answer<BatchResponse>): void {
    const invalid = this.#invalidBatch(request);
    if (invalid !== undefined) {
      answer(invalid, undefined);
      return;
    }
    const { instanceId, epoch, entries, messages, beginsRun } = request;
    const nowMs = this.#now();
    this.#store.submit(
      {
        kind: "saveBatch",
        instanceId,
        epoch,
        entries: entries.map(storedEntry),
        messages: storedMessages(messages, nowMs),
        ...(beginsRun === undefined ? {} : { beginsRun }),
        nowMs,
      },
      (error, result) => {
        if (error !== undefined) return answer(CoreError.checkpointSaveFailed(instanceId, error), undefined);
        switch (result.outcome) {
          case "saved":
            return answer(undefined, { entries: result.entries, signal: result.signal });
          case "runMismatch":
            return answer(wrongRun("begins_run", result.run + 1), undefined);
          default:
            return answer(refusal(request, result), undefined);
        }
      },
    );
  }

  /** Messages that are stored already, or belong to an earlier run, are passed over. May be repeated. */
  publish(request: PublishRequest, answer: Answer<PublishResponse>): void {
    const { instanceId, epoch, run, messages } = request;
    const invalid = invalidId("instance_id", instanceId) ?? invalidMessages(messages);
    if (invalid !== undefined) {
      answer(invalid, undefined);
      return;
    }
    const nowMs = this.#now();
    this.#store.submit(
      { kind: "publish", instanceId, epoch, run, messages: storedMessages(messages, nowMs), nowMs },
      onResult(answer, (result) => {
        switch (result.outcome) {
          case "published":
            return answer(undefined, { lastNumber: result.lastNumber });
          case "runMismatch":
            return answer(wrongRun("run", result.run), undefined);
          default:
            return answer(refusal(request, result), undefined);
        }
      }),
    );
  }

  #invalidBatch({ instanceId, entries, messages }: BatchRequest): CoreError | undefined {
    const invalid =
      invalidId("instance_id", instanceId) ?? invalidCount("entries", entries.length, limits.entriesPerBatchMax);
    if (invalid !== undefined) return invalid;
    const ids = new Set<string>();
    for (const { checkpointId, state } of entries) {
      if (!isStorableId(checkpointId)) return unstorableId("checkpoint_id", checkpointId);
      if (ids.has(checkpointId)) {
        return CoreError.validation("checkpoint_id", `'${checkpointId}' occurs twice in the batch`);
      }
      ids.add(checkpointId);
      const tooLarge = invalidBytes("state", state, this.#stateBytesMax);
      if (tooLarge !== undefined) return tooLarge;
    }
    return invalidMessages(messages);
  }
}

function storedEntry({ checkpointId, state, consumesSignalId }: BatchEntry): SaveBatch["entries"][number] {
  return consumesSignalId === undefined ? { checkpointId, state } : { checkpointId, state, consumesSignalId };
}

function wrongRun(field: string, run: number): CoreError {
  return CoreError.validation(field, `${field} must be ${run}`);
}
