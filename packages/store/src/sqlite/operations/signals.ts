import {
  decideAcknowledgeSignal,
  decideControlInstance,
  decidePollSignals,
  decideSendCustomSignal,
  decideSendSignal,
} from "../../decide/index.ts";
import { isFinal } from "../../lifecycle/index.ts";
import type {
  AcknowledgeSignal,
  AcknowledgeSignalResult,
  ControlInstance,
  ControlInstanceResult,
  PollSignals,
  PollSignalsResult,
  ReadSignals,
  ReadSignalsResult,
  SendCustomSignal,
  SendCustomSignalResult,
  SendSignal,
  SendSignalResult,
} from "../../operations/index.ts";
import { type Context, emptyBytes } from "./context.ts";
import type { SignalReader } from "./signal-facts.ts";

export function preparePollSignals(
  context: Context,
  signals: SignalReader,
): (operation: PollSignals) => PollSignalsResult {
  return (operation) => {
    const { instanceId, checkpointId } = operation;
    const entry = context.rows.get(instanceId);
    const { result, changes } = decidePollSignals(operation, entry?.row, signals.custom(entry, checkpointId));
    context.write(instanceId, changes);
    return result;
  };
}

type Arrived = ReadSignalsResult["instances"][number];

export function prepareReadSignals(
  context: Context,
  signals: SignalReader,
): (operation: ReadSignals) => ReadSignalsResult {
  return ({ interests, bytesMax }) => {
    const instances: Arrived[] = [];
    let room = bytesMax;
    for (const { instanceId, epoch, names, afterSignalId, seenSignal } of interests) {
      const entry = context.rows.get(instanceId);
      if (entry === undefined || entry.row.epoch !== epoch || isFinal(entry.row.status)) {
        instances.push({ instanceId, fenced: true, signal: undefined, queued: [] });
        continue;
      }
      const type = entry.row.pendingSignal;
      const isNews = type !== null && type !== seenSignal;
      const signal = isNews ? { type, payload: signals.pending(entry).signalPayload ?? emptyBytes } : undefined;
      const found = signals.queued(entry, names, afterSignalId, room);
      if (signal === undefined && found.signals.length === 0) continue;
      const bytes = (signal?.payload.length ?? 0) + found.bytes;
      // The first of all is given whatever its size.
      if (instances.length > 0 && bytes > room) return { instances, more: true };
      instances.push({ instanceId, fenced: false, signal, queued: found.signals });
      if (found.more) return { instances, more: true };
      room -= bytes;
    }
    return { instances, more: false };
  };
}

export function prepareAcknowledgeSignal(context: Context): (operation: AcknowledgeSignal) => AcknowledgeSignalResult {
  return (operation) => {
    const { result, changes } = decideAcknowledgeSignal(operation, context.rows.get(operation.instanceId)?.row);
    context.write(operation.instanceId, changes);
    return result;
  };
}

export function prepareSendSignal(context: Context): (operation: SendSignal) => SendSignalResult {
  return (operation) => {
    const { result, changes } = decideSendSignal(operation, context.rows.get(operation.instanceId)?.row);
    context.write(operation.instanceId, changes);
    return result;
  };
}

export function prepareControlInstance(context: Context): (operation: ControlInstance) => ControlInstanceResult {
  return (operation) => {
    const { result, changes } = decideControlInstance(operation, context.rows.get(operation.instanceId)?.row);
    context.write(operation.instanceId, changes);
    return result;
  };
}

export function prepareSendCustomSignal(context: Context): (operation: SendCustomSignal) => SendCustomSignalResult {
  const byMessage = context.connection.prepare(
    "SELECT signal_id FROM instance_signals WHERE instance_key = ? AND message_id = ?",
  );
  return (operation) => {
    const { instanceId, messageId } = operation;
    const entry = context.rows.get(instanceId);
    const duplicateOf =
      entry === undefined || messageId === undefined ? undefined : byMessage.get<[number]>(entry.key, messageId)?.[0];
    const facts = { signalId: context.signalIds.next(), duplicateOf };
    const { result, changes } = decideSendCustomSignal(operation, entry?.row, facts);
    context.write(instanceId, changes);
    return result;
  };
}
