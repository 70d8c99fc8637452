import type { Operation, OperationKind, OperationOf, ResultOf } from "../../operations.ts";
import {
  prepareLoadCheckpoint,
  preparePollSignals,
  prepareRecordRetry,
  prepareSaveCheckpoint,
  prepareSignalReader,
} from "./checkpoints.ts";
import type { Context } from "./context.ts";
import { prepareAppendEvent } from "./events.ts";
import { prepareCreateInstance, prepareReadInstance, prepareRegisterInstance } from "./instances.ts";
import { prepareListCheckpoints, prepareListEvents, prepareListInstances, prepareListRetries } from "./listings.ts";
import { prepareAcknowledgeSignal, prepareSendCustomSignal, prepareSendSignal } from "./signals.ts";
import { prepareBeginSleep, prepareEndSleep } from "./sleeps.ts";
import { prepareTransitions } from "./transitions.ts";

/** How each kind of operation is carried out inside the transaction of its batch. */
export type Handlers = { readonly [K in OperationKind]: (operation: OperationOf<K>) => ResultOf[K] };

export function prepareHandlers(context: Context): Handlers {
  const signals = prepareSignalReader(context);
  const applyTransitions = prepareTransitions(context);
  return {
    createInstance: prepareCreateInstance(context),
    registerInstance: prepareRegisterInstance(context),
    saveCheckpoint: prepareSaveCheckpoint(context, signals),
    loadCheckpoint: prepareLoadCheckpoint(context),
    appendEvent: prepareAppendEvent(context, applyTransitions),
    readInstance: prepareReadInstance(context),
    pollSignals: preparePollSignals(context, signals),
    acknowledgeSignal: prepareAcknowledgeSignal(context, applyTransitions),
    recordRetry: prepareRecordRetry(context),
    beginSleep: prepareBeginSleep(context),
    endSleep: prepareEndSleep(context),
    sendSignal: prepareSendSignal(context, applyTransitions),
    sendCustomSignal: prepareSendCustomSignal(context),
    listInstances: prepareListInstances(context),
    listCheckpoints: prepareListCheckpoints(context),
    listEvents: prepareListEvents(context),
    listRetries: prepareListRetries(context),
  };
}

/** Whether an operation only reads, so that a transaction of such operations needs neither the write lock nor a sync. */
export function onlyReads(operation: Operation): boolean {
  switch (operation.kind) {
    case "loadCheckpoint":
    case "readInstance":
    case "listInstances":
    case "listCheckpoints":
    case "listEvents":
    case "listRetries":
      return true;
    case "pollSignals":
      return operation.checkpointId === undefined;
    default:
      return false;
  }
}

/** About how many bytes an operation brings into its transaction. */
export function bytesOf(operation: Operation): number {
  switch (operation.kind) {
    case "saveCheckpoint":
    case "beginSleep":
      return operation.state.byteLength;
    case "appendEvent":
    case "sendSignal":
    case "sendCustomSignal":
      return operation.payload?.byteLength ?? 0;
    default:
      return 0;
  }
}
