import {
  decideAcknowledgeSignal,
  decideControlInstance,
  decidePollSignals,
  decideSendCustomSignal,
  decideSendSignal,
} from "../../decide/index.ts";
import { arrivals } from "../../engines/arrivals.ts";
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
import type { Context } from "./context.ts";
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

export function prepareReadSignals(
  context: Context,
  signals: SignalReader,
): (operation: ReadSignals) => ReadSignalsResult {
  return (operation) =>
    arrivals(operation, ({ instanceId, names, afterSignalId }) => {
      const entry = context.rows.get(instanceId);
      return (
        entry && {
          row: entry.row,
          signalPayload: () => signals.pending(entry).signalPayload,
          oldest: (bytesMax) => signals.queued(entry, names, afterSignalId, bytesMax),
        }
      );
    });
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
