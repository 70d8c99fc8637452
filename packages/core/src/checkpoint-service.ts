import type { Store } from "@runtara/store";
import { type Answer, onResult } from "./answer.ts";
import { CoreError } from "./core-error.ts";
import type {
  CheckpointRequest,
  CheckpointResponse,
  GetCheckpointRequest,
  GetCheckpointResponse,
  RetryAttemptRequest,
} from "./requests.ts";
import { acceptingStatuses } from "./state-machine.ts";
import { isStorableId, unstorableId } from "./validation.ts";

const nothingFound: GetCheckpointResponse = { found: false, state: new Uint8Array(0) };
const allowedIn = acceptingStatuses("checkpoint");

/** Checkpoints and retry records (spec 2.4, 2.5, 2.10). */
export class CheckpointService {
  readonly #store: Store;
  readonly #now: () => number;

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Save or return: the first call with an id stores its state, every later one gets that state. */
  save({ instanceId, checkpointId, state }: CheckpointRequest, answer: Answer<CheckpointResponse>): void {
    if (!isStorableId(checkpointId)) {
      answer(unstorableId("checkpoint_id", checkpointId), undefined);
      return;
    }
    this.#store.submit(
      { kind: "saveCheckpoint", instanceId, checkpointId, state, allowedIn, nowMs: this.#now() },
      (error, result) => {
        if (error !== undefined) return answer(CoreError.checkpointSaveFailed(instanceId, error), undefined);
        if (result.outcome === "unknownInstance") return answer(CoreError.instanceNotFound(instanceId), undefined);
        if (result.outcome === "refused")
          return answer(CoreError.invalidState(instanceId, "running", result.status), undefined);
        const { state: stored, signal, custom } = result;
        answer(undefined, { found: result.outcome === "found", state: stored, signal, custom });
      },
    );
  }

  get({ instanceId, checkpointId }: GetCheckpointRequest, answer: Answer<GetCheckpointResponse>): void {
    this.#store.submit(
      { kind: "loadCheckpoint", instanceId, checkpointId },
      onResult(answer, (result) => {
        if (result.outcome === "unknownInstance") return answer(CoreError.instanceNotFound(instanceId), undefined);
        answer(undefined, result.outcome === "found" ? { found: true, state: result.state } : nothingFound);
      }),
    );
  }

  recordRetry({ instanceId, checkpointId, attempt, error }: RetryAttemptRequest, answer: Answer<void>): void {
    if (!isStorableId(checkpointId)) {
      answer(unstorableId("checkpoint_id", checkpointId), undefined);
      return;
    }
    const message = error === undefined ? {} : { error: error.replaceAll("\0", "\u{FFFD}") };
    this.#store.submit(
      { kind: "recordRetry", instanceId, checkpointId, attempt: attempt | 0, ...message, nowMs: this.#now() },
      onResult(answer, (result) => {
        if (result.outcome === "unknownInstance") return answer(CoreError.instanceNotFound(instanceId), undefined);
        answer(undefined, undefined);
      }),
    );
  }
}
