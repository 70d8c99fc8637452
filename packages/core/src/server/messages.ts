import type { instance } from "@runtara/protocol";
import type { CustomSignal, PendingSignal } from "@runtara/store";
import type {
  CheckpointResponse,
  EventRequest,
  GetCheckpointResponse,
  PollSignalsResponse,
  RegisterResponse,
  StatusResponse,
} from "../requests.ts";
import { eventWord, signalNumbers, statusNumbers } from "./words.ts";

// Core's plain objects as messages of the wire, and the one request whose fields differ. Literals, because this is the hot path.

export function registerMessage({ success, error }: RegisterResponse): instance.RegisterInstanceResponse {
  return { $typeName: "runtara.instance.RegisterInstanceResponse", success, error, features: [] };
}

export function checkpointMessage(instanceId: string, response: CheckpointResponse): instance.CheckpointResponse {
  const { found, state, signal, custom } = response;
  const message: instance.CheckpointResponse = { $typeName: "runtara.instance.CheckpointResponse", found, state };
  if (signal !== undefined) message.pendingSignal = signalMessage(instanceId, signal);
  if (custom !== undefined) message.customSignal = customSignalMessage(custom);
  return message;
}

export function getCheckpointMessage({ found, state }: GetCheckpointResponse): instance.GetCheckpointResponse {
  return { $typeName: "runtara.instance.GetCheckpointResponse", found, state };
}

export function pollMessage(instanceId: string, { signal, custom }: PollSignalsResponse): instance.PollSignalsResponse {
  const message: instance.PollSignalsResponse = { $typeName: "runtara.instance.PollSignalsResponse" };
  if (signal !== undefined) message.signal = signalMessage(instanceId, signal);
  if (custom !== undefined) message.customSignal = customSignalMessage(custom);
  return message;
}

export function statusMessage(response: StatusResponse): instance.GetInstanceStatusResponse {
  const { instanceId, status, checkpointId, startedAtMs, finishedAtMs, output, error } = response;
  return {
    $typeName: "runtara.instance.GetInstanceStatusResponse",
    instanceId,
    status: statusNumbers[status],
    startedAtMs: BigInt(startedAtMs),
    ...(checkpointId === undefined ? {} : { checkpointId }),
    ...(finishedAtMs === undefined ? {} : { finishedAtMs: BigInt(finishedAtMs) }),
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
  };
}

export const sleepMessage: instance.SleepResponse = { $typeName: "runtara.instance.SleepResponse" };

export const eventMessage: instance.InstanceEventResponse = {
  $typeName: "runtara.instance.InstanceEventResponse",
  success: true,
};

export function eventRequest(event: instance.InstanceEvent): EventRequest {
  const { instanceId, eventType, checkpointId, payload, timestampMs, subtype } = event;
  return { instanceId, type: eventWord(eventType), checkpointId, payload, timestampMs: Number(timestampMs), subtype };
}

function signalMessage(instanceId: string, { type, payload }: PendingSignal): instance.Signal {
  return { $typeName: "runtara.instance.Signal", instanceId, signalType: signalNumbers[type], payload };
}

function customSignalMessage({ checkpointId, payload }: CustomSignal): instance.CustomSignal {
  return { $typeName: "runtara.instance.CustomSignal", checkpointId, payload };
}
