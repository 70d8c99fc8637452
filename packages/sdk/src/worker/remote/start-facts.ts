import type { instance } from "@runtara/protocol";
import type { PendingSignal, QueuedSignal, StartFacts } from "../../ports/source.ts";
import { signalWord } from "../../wire/words.ts";

// Messages of the wire as the plain values of the ports.

export function startFacts(start: instance.StartFacts): StartFacts {
  const { input, workflow, version, parentInstanceId, pendingSignal } = start;
  return {
    epoch: Number(start.epoch),
    checkpointCount: Number(start.checkpointCount),
    input: input ?? null,
    firstStartedAtMs: Number(start.startedAtMs),
    seed: start.seed,
    run: start.run,
    workflow: workflow ?? null,
    version: version ?? null,
    parentInstanceId: parentInstanceId ?? null,
    signal: pendingSignal && pendingOf(pendingSignal),
  };
}

export function pendingOf({ signalType, payload }: instance.Signal): PendingSignal {
  return { type: signalWord(signalType), payload };
}

export function queuedOf({ signalId, name, payload, createdAtMs }: instance.QueuedSignal): QueuedSignal {
  return { signalId: Number(signalId), name, payload, createdAtMs: Number(createdAtMs) };
}
