import type { instance } from "@runtara/protocol";
import { CoreError } from "../../core-error.ts";
import { limits } from "../../limits.ts";
import { invalidBytes, invalidId } from "../../validation.ts";
import type { StartRequest, StartResponse } from "../../work/index.ts";
import { statusNumbers, whole, wholeOf } from "../words.ts";

/** A child to start; what is not checked here, the work service checks. */
export function childRequest(request: instance.StartChildRequest): StartRequest | CoreError {
  const { instanceId: parentId, child, resultSignal, detached } = request;
  if (child === undefined) return CoreError.validation("child", "child is required");
  const { instanceId, tenantId, workflow, input, version, tags, startAtMs, timeoutMs } = child;
  const invalid = invalidId("workflow", workflow) ?? (input && invalidBytes("input", input, limits.payloadBytesMax));
  if (invalid !== undefined) return invalid;
  return {
    instanceId,
    tenantId,
    workflow,
    version,
    input,
    tags,
    startAtMs: wholeOf(startAtMs),
    timeoutMs: wholeOf(timeoutMs),
    parent: {
      instanceId: parentId,
      epoch: whole(request.epoch),
      resultSignal: resultSignal === "" ? undefined : resultSignal,
      detached,
    },
  };
}

export function childMessage(instanceId: string, { created, status }: StartResponse): instance.StartChildResponse {
  return {
    $typeName: "runtara.instance.StartChildResponse",
    started: {
      $typeName: "runtara.management.StartWorkflowResponse",
      instanceId,
      created,
      status: statusNumbers[status],
    },
  };
}
