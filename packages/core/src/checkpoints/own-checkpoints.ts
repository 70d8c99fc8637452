import type { OwnCheckpoint, OwnRetry, Store } from "@runtara/store";
import { type Answer, onResult } from "../answer.ts";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { refusal } from "../refusals.ts";
import { invalidId, invalidText } from "../validation.ts";

export interface OwnCheckpointsRequest {
  readonly instanceId: string;
  readonly epoch: number;
  /** Of the page before; undefined = the first page. */
  readonly cursor?: string | undefined;
  /** Only what was saved behind this checkpoint; an id that is not stored leaves nothing out. With a cursor it does not count. */
  readonly behind?: string | undefined;
  readonly prefix: string;
  /** Undefined = `limits.ownStateBytes`; at most `ownStateBytesMax` counts. */
  readonly stateBytesMax?: number | undefined;
  /** 0 = `limits.ownPageBytes`; at most `ownPageBytesMax` counts. */
  readonly pageBytesMax: number;
}
export interface OwnCheckpointsResponse {
  readonly checkpoints: readonly OwnCheckpoint[];
  readonly retries: readonly OwnRetry[];
  readonly nextCursor: string | undefined;
}

/** What a process needs to go on where an earlier one stopped, in pages (spec 4). */
export class OwnCheckpointsService {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** One page, oldest first. May be repeated. */
  list(request: OwnCheckpointsRequest, answer: Answer<OwnCheckpointsResponse>): void {
    const { instanceId, epoch, cursor, behind, prefix, stateBytesMax = limits.ownStateBytes, pageBytesMax } = request;
    const invalid =
      invalidId("instance_id", instanceId) ??
      invalidText("checkpoint_id_prefix", prefix) ??
      invalidText("behind_checkpoint_id", behind);
    if (invalid !== undefined) {
      answer(invalid, undefined);
      return;
    }
    this.#store.submit(
      {
        kind: "listOwnCheckpoints",
        instanceId,
        epoch,
        ...(cursor === undefined ? {} : { cursor }),
        ...(behind === undefined ? {} : { behind }),
        prefix,
        stateBytesMax: Math.min(stateBytesMax, limits.ownStateBytesMax),
        pageBytesMax: pageBytesMax === 0 ? limits.ownPageBytes : Math.min(pageBytesMax, limits.ownPageBytesMax),
      },
      onResult(answer, (result) => {
        switch (result.outcome) {
          case "page": {
            const { checkpoints, retries, nextCursor } = result;
            return answer(undefined, { checkpoints, retries: retries.map(shortened), nextCursor });
          }
          case "badCursor":
            return answer(CoreError.validation("cursor", "cursor is none of this server; begin anew"), undefined);
          default:
            return answer(refusal(request, result), undefined);
        }
      }),
    );
  }
}

function shortened(retry: OwnRetry): OwnRetry {
  const { error } = retry;
  if (error === null || error.length <= limits.ownErrorCharactersMax) return retry;
  return { ...retry, error: error.slice(0, limits.ownErrorCharactersMax) };
}
