import type { instance } from "@runtara/protocol";
import type { InstanceSignals, OpenPoll, SignalInterest, WaitSignalsRequest } from "../../ports/source.ts";
import { signalNumbers } from "../../wire/words.ts";
import { openPoll } from "./open-poll.ts";
import type { RemoteCalls } from "./remote-calls.ts";
import { pendingOf, queuedOf } from "./start-facts.ts";

/** The one long poll of a connection. `graceMs`: how much longer than it was asked to the core may take. */
export function waitSignals(
  calls: RemoteCalls,
  request: WaitSignalsRequest,
  graceMs: number,
): OpenPoll<readonly InstanceSignals[]> {
  return openPoll(async (signal) => {
    const options = { signal, timeoutMs: request.waitMs + graceMs };
    const { instances } = await calls.now(waitMessage(request), "wait-signals", options);
    return instances.map(instanceSignals);
  });
}

function waitMessage(request: WaitSignalsRequest): instance.WaitSignalsRequest {
  return {
    $typeName: "runtara.instance.WaitSignalsRequest",
    revision: BigInt(request.revision),
    interests: request.interests.map(interestMessage),
    replacesAll: request.replacesAll,
    waitMs: request.waitMs,
  };
}

function interestMessage(interest: SignalInterest): instance.SignalInterest {
  const { instanceId, epoch, names, afterSignalId, seenSignal, ended } = interest;
  const message: instance.SignalInterest = {
    $typeName: "runtara.instance.SignalInterest",
    instanceId,
    epoch: BigInt(epoch),
    names: [...names],
    afterSignalId: BigInt(afterSignalId),
    ended,
  };
  if (seenSignal !== undefined) message.seenSignal = signalNumbers[seenSignal];
  return message;
}

function instanceSignals({ instanceId, signal, queued, fenced }: instance.InstanceSignals): InstanceSignals {
  return { instanceId, fenced, signal: signal && pendingOf(signal), queued: queued.map(queuedOf) };
}
