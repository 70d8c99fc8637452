import type { Operation, OperationKind, OperationOf, ResultOf } from "../../operations/index.ts";
import { kinds } from "../../operations/kinds.ts";
import { HistoryReader } from "../history-reader.ts";
import {
  prepareLoad,
  prepareLoadCheckpoint,
  preparePublish,
  prepareRecordRetry,
  prepareSaveBatch,
  prepareSaveCheckpoint,
} from "./checkpoints.ts";
import type { Context } from "./context.ts";
import { prepareListHistory, prepareReadChanges } from "./history.ts";
import { prepareCheckHealth, prepareListInstances, prepareQueryInstances } from "./instance-listings.ts";
import { prepareAppendEvent, prepareBeginSleep, prepareEndSleep, prepareSuspendUntil } from "./life.ts";
import { prepareListCheckpoints, prepareListEvents, prepareReadPublished } from "./listings.ts";
import { prepareListOwnCheckpoints } from "./own-checkpoints.ts";
import {
  prepareLifeFacts,
  prepareReadInstance,
  prepareRegisterInstance,
  prepareStartInstance,
  prepareTouchInstances,
} from "./registration.ts";
import { prepareRemoveOld } from "./retention.ts";
import { prepareSchedules } from "./schedules.ts";
import { SignalReader } from "./signal-facts.ts";
import {
  prepareAcknowledgeSignal,
  prepareControlInstance,
  preparePollSignals,
  prepareReadSignals,
  prepareSendCustomSignal,
  prepareSendSignal,
} from "./signals.ts";
import { prepareFireDue, prepareSettleEnded } from "./timers.ts";
import { prepareClaimWork, prepareReleaseWork, prepareRenewLease } from "./work.ts";

/** How each kind of operation is carried out inside the transaction of its batch. */
export type Handlers = { readonly [K in OperationKind]: (operation: OperationOf<K>) => ResultOf[K] };

export function prepareHandlers(context: Context): Handlers {
  const signals = new SignalReader(context);
  const load = prepareLoad(context);
  const lifeFacts = prepareLifeFacts(context, signals);
  const history = new HistoryReader(context.connection, context.checkpoints);
  return {
    registerInstance: prepareRegisterInstance(context, load, lifeFacts),
    startInstance: prepareStartInstance(context, lifeFacts),
    touchInstances: prepareTouchInstances(context),
    readInstance: prepareReadInstance(context),
    saveCheckpoint: prepareSaveCheckpoint(context, signals),
    saveBatch: prepareSaveBatch(context, signals),
    publish: preparePublish(context),
    loadCheckpoint: prepareLoadCheckpoint(context, load),
    listOwnCheckpoints: prepareListOwnCheckpoints(context),
    recordRetry: prepareRecordRetry(context),
    appendEvent: prepareAppendEvent(context),
    suspendUntil: prepareSuspendUntil(context, signals),
    beginSleep: prepareBeginSleep(context),
    endSleep: prepareEndSleep(context),
    fireDue: prepareFireDue(context),
    settleEnded: prepareSettleEnded(context),
    pollSignals: preparePollSignals(context, signals),
    readSignals: prepareReadSignals(context, signals),
    acknowledgeSignal: prepareAcknowledgeSignal(context),
    sendSignal: prepareSendSignal(context),
    sendCustomSignal: prepareSendCustomSignal(context),
    controlInstance: prepareControlInstance(context),
    claimWork: prepareClaimWork(context, lifeFacts),
    renewLease: prepareRenewLease(context),
    releaseWork: prepareReleaseWork(context),
    ...prepareSchedules(context),
    listInstances: prepareListInstances(context),
    queryInstances: prepareQueryInstances(context),
    listCheckpoints: prepareListCheckpoints(context),
    listEvents: prepareListEvents(context),
    listHistory: prepareListHistory(context, history),
    readChanges: prepareReadChanges(context, history),
    readPublished: prepareReadPublished(context),
    checkHealth: prepareCheckHealth(context),
    removeOld: prepareRemoveOld(context),
  };
}

/** Whether an operation only reads, so that a transaction of such operations needs neither the write lock nor a sync. */
export function onlyReads(operation: Operation): boolean {
  return kinds[operation.kind].read || (operation.kind === "pollSignals" && operation.checkpointId === undefined);
}
