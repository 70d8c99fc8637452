import type { instance } from "@runtara/protocol";
import { CoreError } from "../../core-error.ts";
import type { SuspendUntilRequest, SuspendUntilResponse } from "../../life/index.ts";
import { whole, wholeOf } from "../words.ts";
import { instanceSignalsMessage, optionalSignal } from "./waiting.ts";

export function suspendRequest(request: instance.SuspendUntilRequest): SuspendUntilRequest | CoreError {
  const recordedSignal = optionalSignal("recorded_signal", request.recordedSignal);
  if (recordedSignal instanceof CoreError) return recordedSignal;
  return {
    instanceId: request.instanceId,
    epoch: whole(request.epoch),
    untilMs: wholeOf(request.untilMs),
    names: request.signalNames,
    recordedSignal,
    afterSignalId: whole(request.afterSignalId),
  };
}

export function suspendMessage(instanceId: string, response: SuspendUntilResponse): instance.SuspendUntilResponse {
  const message: instance.SuspendUntilResponse = {
    $typeName: "runtara.instance.SuspendUntilResponse",
    suspended: response.suspended,
  };
  if (response.suspended) return message;
  const { signal, queued } = response;
  // Without signals it is the time that has come.
  if (signal !== undefined || queued.length > 0) message.signals = instanceSignalsMessage(instanceId, signal, queued);
  return message;
}
