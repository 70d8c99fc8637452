import type { instance } from "@runtara/protocol";
import type { BatchRequest, BatchResponse } from "../../checkpoints/index.ts";
import { CoreError } from "../../core-error.ts";
import { limits } from "../../limits.ts";
import { signalMessage } from "../messages.ts";
import { whole, wholeOf } from "../words.ts";
import { outgoing } from "./outgoing.ts";

const nothing = new Uint8Array(0);

export function batchRequest(request: instance.CheckpointBatchRequest): BatchRequest {
  return {
    instanceId: request.instanceId,
    epoch: whole(request.epoch),
    entries: request.entries.map(({ checkpointId, state, consumesSignalId }) => ({
      checkpointId,
      state,
      consumesSignalId: wholeOf(consumesSignalId),
    })),
    messages: request.messages.map(outgoing),
    beginsRun: request.beginsRun,
  };
}

/** A signal that has no room beside the states comes with a later answer. */
export function batchMessage(instanceId: string, { entries, signal }: BatchResponse): instance.CheckpointBatchResponse {
  const message: instance.CheckpointBatchResponse = {
    $typeName: "runtara.instance.CheckpointBatchResponse",
    results: entries.map(({ state }) => ({
      $typeName: "runtara.instance.CheckpointResult",
      found: state !== undefined,
      state: state ?? nothing,
    })),
  };
  if (signal !== undefined && foundBytes(entries) + signal.payload.byteLength <= limits.payloadBytesMax) {
    message.pendingSignal = signalMessage(instanceId, signal);
  }
  return message;
}

/** What is to be said where the found states together are more than one answer holds; undefined = they are not. */
export function tooMuchFound({ entries }: BatchResponse): CoreError | undefined {
  const bytes = foundBytes(entries);
  if (bytes <= limits.payloadBytesMax) return undefined;
  const message = `the states that were there already have ${bytes} bytes, an answer holds ${limits.payloadBytesMax}`;
  return new CoreError("VALUE_TOO_LARGE", `${message}; the batch is kept: read them one by one with get_checkpoint`);
}

function foundBytes(entries: BatchResponse["entries"]): number {
  return entries.reduce((sum, { state }) => sum + (state?.byteLength ?? 0), 0);
}
