import type { instance } from "@runtara/protocol";
import type { OwnCheckpoint, OwnRetry } from "@runtara/store";
import type { OwnCheckpointsResponse } from "../../checkpoints/index.ts";

export function ownCheckpointsMessage({
  checkpoints,
  retries,
  nextCursor,
}: OwnCheckpointsResponse): instance.ListOwnCheckpointsResponse {
  return {
    $typeName: "runtara.instance.ListOwnCheckpointsResponse",
    checkpoints: checkpoints.map(checkpointMessage),
    retries: retries.map(retryMessage),
    ...(nextCursor === undefined ? {} : { nextCursor }),
  };
}

function checkpointMessage({ checkpointId, state, stateBytes, createdAtMs }: OwnCheckpoint): instance.OwnCheckpoint {
  return {
    $typeName: "runtara.instance.OwnCheckpoint",
    checkpointId,
    ...(state === undefined ? {} : { state }),
    stateBytes: BigInt(stateBytes),
    createdAtMs: BigInt(createdAtMs),
  };
}

function retryMessage({ checkpointId, attempt, createdAtMs, nextAtMs, error }: OwnRetry): instance.OwnRetry {
  return {
    $typeName: "runtara.instance.OwnRetry",
    checkpointId,
    // Stored as a signed number, as the original does.
    attemptNumber: attempt >>> 0,
    createdAtMs: BigInt(createdAtMs),
    ...(nextAtMs === null ? {} : { nextAtMs: BigInt(nextAtMs) }),
    ...(error === null ? {} : { errorMessage: error }),
  };
}
