import type { instance } from "@runtara/protocol";
import type { CustomSignal, PendingSignal, StartFacts } from "@runtara/store";
import type { CheckpointResponse, GetCheckpointResponse } from "../checkpoints/index.ts";
import type { EventRequest, StatusResponse } from "../life/index.ts";
import { limits } from "../limits.ts";
import type { RegisterResponse } from "../registration/index.ts";
import type { PollSignalsResponse } from "../signals/index.ts";
import { instanceFeatures } from "./capabilities.ts";
import { eventWord, signalNumbers, statusNumbers } from "./words.ts";

// Core's plain objects as messages of the wire, and the one request whose fields differ. Literals, because this is the hot path.

/** What of the server stands in the start facts beside those of the instance. */
export interface ServerFacts {
  readonly nowMs: number;
  readonly stateBytesMax: number | undefined;
}

/** Without `asked` the answer is byte for byte that of 1.4.1. */
export function registerMessage(
  instanceId: string,
  response: RegisterResponse,
  asked: ServerFacts | undefined,
): instance.RegisterInstanceResponse {
  const { success } = response;
  const error = success ? "" : response.error;
  const message: instance.RegisterInstanceResponse = {
    $typeName: "runtara.instance.RegisterInstanceResponse",
    success,
    error,
    features: [],
  };
  if (asked === undefined) return message;
  message.features = [...instanceFeatures];
  if (success) {
    message.start = startFactsMessage(instanceId, response.facts, asked);
  } else {
    message.fineCode = response.code;
    message.retryable = response.repeatable !== "never";
  }
  return message;
}

export function startFactsMessage(
  instanceId: string,
  facts: StartFacts,
  { nowMs, stateBytesMax }: ServerFacts,
): instance.StartFacts {
  const message: instance.StartFacts = {
    $typeName: "runtara.instance.StartFacts",
    epoch: BigInt(facts.epoch),
    checkpointCount: BigInt(facts.checkpointCount),
    serverTimeMs: BigInt(nowMs),
    startedAtMs: BigInt(facts.firstStartedAtMs),
    seed: facts.seed,
    run: facts.run,
  };
  if (facts.input !== null) message.input = facts.input;
  if (facts.workflow !== null) message.workflow = facts.workflow;
  if (facts.version !== null) message.version = facts.version;
  if (stateBytesMax !== undefined) message.stateBytesMax = BigInt(stateBytesMax);
  if (facts.parentInstanceId !== null) message.parentInstanceId = facts.parentInstanceId;
  const { signal } = facts;
  // One that has no room beside the input comes with the first call that asks for signals.
  if (signal !== undefined && signal.payload.byteLength + (facts.input?.byteLength ?? 0) <= limits.payloadBytesMax) {
    message.pendingSignal = signalMessage(instanceId, signal);
  }
  return message;
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

/** `epoch`: the one that counts, which may be the connection's. */
export function eventRequest(event: instance.InstanceEvent, epoch: number | undefined): EventRequest {
  const { instanceId, eventType, checkpointId, payload, timestampMs, subtype, failure, reason } = event;
  return {
    instanceId,
    epoch,
    type: eventWord(eventType),
    checkpointId,
    payload,
    timestampMs: Number(timestampMs),
    subtype,
    failure,
    reason,
  };
}

export function signalMessage(instanceId: string, { type, payload }: PendingSignal): instance.Signal {
  return { $typeName: "runtara.instance.Signal", instanceId, signalType: signalNumbers[type], payload };
}

function customSignalMessage({ checkpointId, payload }: CustomSignal): instance.CustomSignal {
  return { $typeName: "runtara.instance.CustomSignal", checkpointId, payload };
}
