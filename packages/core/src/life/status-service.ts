import type { InstanceStatus, Store } from "@runtara/store";
import { type Answer, onResult } from "../answer.ts";
import { isStorableId } from "../validation.ts";

export interface StatusResponse {
  readonly instanceId: string;
  readonly status: InstanceStatus | "unknown";
  readonly checkpointId: string | undefined;
  /** 0 if never started. */
  readonly startedAtMs: number;
  readonly finishedAtMs: number | undefined;
  readonly output: Uint8Array | undefined;
  readonly error: string | undefined;
}

/** What anybody may ask of an instance over its own protocol (spec 2.8). */
export class StatusService {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** An unknown id is no error: its status is "unknown". */
  read(instanceId: string, answer: Answer<StatusResponse>): void {
    if (!isStorableId(instanceId)) {
      answer(undefined, unknownStatus(instanceId));
      return;
    }
    this.#store.submit(
      { kind: "readInstance", instanceId },
      onResult(answer, (result) => {
        if (result.outcome === "unknownInstance") return answer(undefined, unknownStatus(instanceId));
        const { instance } = result;
        answer(undefined, {
          instanceId,
          status: instance.status,
          checkpointId: instance.checkpointId ?? undefined,
          startedAtMs: instance.startedAtMs ?? 0,
          finishedAtMs: instance.finishedAtMs ?? undefined,
          output: instance.output ?? undefined,
          error: instance.error ?? undefined,
        });
      }),
    );
  }
}

function unknownStatus(instanceId: string): StatusResponse {
  return {
    instanceId,
    status: "unknown",
    checkpointId: undefined,
    startedAtMs: 0,
    finishedAtMs: undefined,
    output: undefined,
    error: "Instance not found",
  };
}
