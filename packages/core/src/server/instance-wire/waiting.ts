import type { instance } from "@runtara/protocol";
import type { PendingSignal, QueuedSignal, SignalType } from "@runtara/store";
import { CoreError } from "../../core-error.ts";
import { invalidNames } from "../../signals/names.ts";
import type { InstanceSignals, SignalInterest, WaitSignalsRequest } from "../../timers/index.ts";
import { invalidId } from "../../validation.ts";
import { signalMessage } from "../messages.ts";
import { signalWord, whole } from "../words.ts";

export function waitRequest(request: instance.WaitSignalsRequest): WaitSignalsRequest | CoreError {
  const { revision, replacesAll, waitMs } = request;
  const interests: SignalInterest[] = [];
  for (const one of request.interests) {
    const interest = interestOf(one);
    if (interest instanceof CoreError) return interest;
    interests.push(interest);
  }
  return { revision: whole(revision), interests, replacesAll, waitMs };
}

function interestOf(interest: instance.SignalInterest): SignalInterest | CoreError {
  const { instanceId, epoch, names, afterSignalId, ended } = interest;
  const seenSignal = optionalSignal("seen_signal", interest.seenSignal);
  if (seenSignal instanceof CoreError) return seenSignal;
  const invalid = invalidId("instance_id", instanceId) ?? invalidNames(names);
  if (invalid !== undefined) return invalid;
  return { instanceId, epoch: whole(epoch), names, afterSignalId: whole(afterSignalId), seenSignal, ended };
}

/** The word for an enum's number, if there is one; a number that does not exist is an error. */
export function optionalSignal(field: string, number: number | undefined): SignalType | undefined | CoreError {
  if (number === undefined) return undefined;
  return signalWord(number) ?? CoreError.validation(field, `${field} must be CANCEL, PAUSE or RESUME`);
}

export function waitMessage(instances: readonly InstanceSignals[]): instance.WaitSignalsResponse {
  return {
    $typeName: "runtara.instance.WaitSignalsResponse",
    instances: instances.map(({ instanceId, fenced, signal, queued }) =>
      instanceSignalsMessage(instanceId, signal, queued, fenced),
    ),
  };
}

export function instanceSignalsMessage(
  instanceId: string,
  signal: PendingSignal | undefined,
  queued: readonly QueuedSignal[],
  fenced = false,
): instance.InstanceSignals {
  return {
    $typeName: "runtara.instance.InstanceSignals",
    instanceId,
    ...(signal === undefined ? {} : { signal: signalMessage(instanceId, signal) }),
    queued: queued.map(queuedMessage),
    fenced,
  };
}

function queuedMessage({ signalId, name, payload, createdAtMs }: QueuedSignal): instance.QueuedSignal {
  return {
    $typeName: "runtara.instance.QueuedSignal",
    signalId: BigInt(signalId),
    name,
    payload,
    createdAtMs: BigInt(createdAtMs),
  };
}
