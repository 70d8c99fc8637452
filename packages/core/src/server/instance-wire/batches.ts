import type { instance } from "@runtara/protocol";
import type { BatchResponse } from "../../checkpoints/index.ts";
import { CoreError } from "../../core-error.ts";
import { limits } from "../../limits.ts";
import { batchMessage } from "./batch.ts";

export function tooManyBatches(count: number): CoreError | undefined {
  if (count <= limits.batchesPerCallMax) return undefined;
  return CoreError.validation(
    "batches",
    `batches has ${count} members; at most ${limits.batchesPerCallMax} are allowed`,
  );
}

type Result = instance.CheckpointBatchesResult["result"];

/** What became of the batches of one call; told when it is known of all. What is found and has no room in one answer is to be asked for again. */
export class BatchResults {
  readonly #results: Result[];
  readonly #respond: (message: instance.CheckpointBatchesResponse) => void;
  #left: number;
  #bytesLeft: number = limits.payloadBytesMax;

  constructor(count: number, respond: (message: instance.CheckpointBatchesResponse) => void) {
    this.#results = Array.from({ length: count }, (): Result => ({ case: undefined }));
    this.#respond = respond;
    this.#left = count;
    if (count === 0) this.#tell();
  }

  answered(index: number, instanceId: string, response: BatchResponse): void {
    const signalBytes = response.signal?.payload.byteLength ?? 0;
    const bytes = response.entries.reduce((sum, { state }) => sum + (state?.byteLength ?? 0), signalBytes);
    if (bytes > this.#bytesLeft) {
      this.refused(index, noRoom);
      return;
    }
    this.#bytesLeft -= bytes;
    this.#settle(index, { case: "answer", value: batchMessage(instanceId, response) });
  }

  refused(index: number, error: instance.RpcError): void {
    this.#settle(index, { case: "error", value: error });
  }

  #settle(index: number, result: Result): void {
    this.#results[index] = result;
    this.#left -= 1;
    if (this.#left === 0) this.#tell();
  }

  #tell(): void {
    const results = this.#results.map(
      (result): instance.CheckpointBatchesResult => ({
        $typeName: "runtara.instance.CheckpointBatchesResult",
        result,
      }),
    );
    this.#respond({ $typeName: "runtara.instance.CheckpointBatchesResponse", results });
  }
}

const noRoom: instance.RpcError = {
  $typeName: "runtara.instance.RpcError",
  code: "CHECKPOINT_BATCH_ERROR",
  message: "what was there already has no room in this answer; the batch is kept: send it again by itself",
  fineCode: "VALUE_TOO_LARGE",
  retryable: true,
};
