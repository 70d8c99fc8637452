import type { CustomSignal, PendingSignal, Store } from "@runtara/store";
import { type Answer, onResult } from "../answer.ts";
import { CoreError } from "../core-error.ts";
import { caller, type OwnCall, refusal } from "../refusals.ts";
import { invalidBytes, invalidTime, isStorableId, unstorableId } from "../validation.ts";

export interface CheckpointRequest extends OwnCall {
  readonly checkpointId: string;
  readonly state: Uint8Array;
}
export interface CheckpointResponse {
  readonly found: boolean;
  /** The stored bytes where found, else empty. */
  readonly state: Uint8Array;
  readonly signal: PendingSignal | undefined;
  readonly custom: CustomSignal | undefined;
}

export interface GetCheckpointRequest {
  readonly instanceId: string;
  readonly checkpointId: string;
}
export interface GetCheckpointResponse {
  readonly found: boolean;
  readonly state: Uint8Array;
}

export interface RetryAttemptRequest extends OwnCall {
  readonly checkpointId: string;
  /** Stored as a signed 32-bit number. */
  readonly attempt: number;
  readonly error?: string | undefined;
  /** When the attempt begins; undefined = at once. */
  readonly nextAtMs?: number | undefined;
}

const nothingFound: GetCheckpointResponse = { found: false, state: new Uint8Array(0) };

/** Checkpoints one by one and retry records (spec 2.4, 2.5, 2.10). */
export class CheckpointService {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #stateBytesMax: number;

  constructor(store: Store, now: () => number, stateBytesMax: number) {
    this.#store = store;
    this.#now = now;
    this.#stateBytesMax = stateBytesMax;
  }

  /** Save or return: the first call with an id stores its state, every later one gets that state. */
  save(request: CheckpointRequest, answer: Answer<CheckpointResponse>): void {
    const { instanceId, epoch, checkpointId, state } = request;
    const invalid = invalidIds(request) ?? invalidBytes("state", state, this.#stateBytesMax);
    if (invalid !== undefined) {
      answer(invalid, undefined);
      return;
    }
    const nowMs = this.#now();
    // Literals, because this is the hot path.
    this.#store.submit(
      epoch === undefined
        ? { kind: "saveCheckpoint", instanceId, checkpointId, state, nowMs }
        : { kind: "saveCheckpoint", instanceId, epoch, checkpointId, state, nowMs },
      (error, result) => {
        if (error !== undefined) return answer(CoreError.checkpointSaveFailed(instanceId, error), undefined);
        switch (result.outcome) {
          case "saved":
          case "found": {
            const { outcome, state: stored, signal, custom } = result;
            return answer(undefined, { found: outcome === "found", state: stored, signal, custom });
          }
          default:
            return answer(refusal(request, result), undefined);
        }
      },
    );
  }

  get({ instanceId, checkpointId }: GetCheckpointRequest, answer: Answer<GetCheckpointResponse>): void {
    if (!isStorableId(instanceId)) {
      answer(CoreError.instanceNotFound(instanceId), undefined);
      return;
    }
    if (!isStorableId(checkpointId)) {
      this.#findNothing(instanceId, answer);
      return;
    }
    this.#store.submit(
      { kind: "loadCheckpoint", instanceId, checkpointId },
      onResult(answer, (result) => {
        if (result.outcome === "unknownInstance") return answer(CoreError.instanceNotFound(instanceId), undefined);
        answer(undefined, result.outcome === "found" ? { found: true, state: result.state } : nothingFound);
      }),
    );
  }

  recordRetry(request: RetryAttemptRequest, answer: Answer<void>): void {
    const { checkpointId, attempt, error, nextAtMs } = request;
    const invalid = invalidIds(request) ?? invalidTime("next_at_ms", nextAtMs);
    if (invalid !== undefined) {
      answer(invalid, undefined);
      return;
    }
    this.#store.submit(
      {
        kind: "recordRetry",
        ...caller(request),
        checkpointId,
        attempt: attempt | 0,
        ...(error === undefined ? {} : { error: error.replaceAll("\0", "\u{FFFD}") }),
        ...(nextAtMs === undefined ? {} : { nextAtMs }),
        nowMs: this.#now(),
      },
      onResult(answer, (result) => {
        if (result.outcome === "recorded") answer(undefined, undefined);
        else answer(refusal(request, result), undefined);
      }),
    );
  }

  /** An id that cannot be stored is never there; whether the instance is, the store knows. */
  #findNothing(instanceId: string, answer: Answer<GetCheckpointResponse>): void {
    this.#store.submit(
      { kind: "readInstance", instanceId },
      onResult(answer, (result) => {
        if (result.outcome === "found") answer(undefined, nothingFound);
        else answer(CoreError.instanceNotFound(instanceId), undefined);
      }),
    );
  }
}

/** An instance whose id cannot be stored is never there. */
function invalidIds({ instanceId, checkpointId }: GetCheckpointRequest): CoreError | undefined {
  if (!isStorableId(checkpointId)) return unstorableId("checkpoint_id", checkpointId);
  return isStorableId(instanceId) ? undefined : CoreError.instanceNotFound(instanceId);
}
