import type { OperationKind } from "./index.ts";

/** What an engine must know of a kind. */
export interface KindOfOperation {
  /** It concerns one instance and takes its place in that instance's order. */
  readonly instance: boolean;
  /** It writes nothing; pollSignals only without a checkpoint id. */
  readonly read: boolean;
  /** Carried out as one statement for all of its kind in a batch, where the engine is SQL over a network. */
  readonly hot: boolean;
}

export const kinds: Readonly<Record<OperationKind, KindOfOperation>> = {
  registerInstance: { instance: true, read: false, hot: false },
  startInstance: { instance: true, read: false, hot: false },
  touchInstances: { instance: false, read: false, hot: false },
  readInstance: { instance: true, read: true, hot: true },
  saveCheckpoint: { instance: true, read: false, hot: true },
  saveBatch: { instance: true, read: false, hot: true },
  publish: { instance: true, read: false, hot: false },
  loadCheckpoint: { instance: true, read: true, hot: true },
  listOwnCheckpoints: { instance: true, read: true, hot: false },
  recordRetry: { instance: true, read: false, hot: false },
  appendEvent: { instance: true, read: false, hot: false },
  suspendUntil: { instance: true, read: false, hot: false },
  beginSleep: { instance: true, read: false, hot: false },
  endSleep: { instance: true, read: false, hot: false },
  fireDue: { instance: false, read: false, hot: false },
  settleEnded: { instance: false, read: false, hot: false },
  pollSignals: { instance: true, read: false, hot: true },
  readSignals: { instance: false, read: true, hot: true },
  acknowledgeSignal: { instance: true, read: false, hot: false },
  sendSignal: { instance: true, read: false, hot: false },
  sendCustomSignal: { instance: true, read: false, hot: false },
  controlInstance: { instance: true, read: false, hot: false },
  claimWork: { instance: false, read: false, hot: false },
  renewLease: { instance: false, read: false, hot: false },
  releaseWork: { instance: false, read: false, hot: false },
  listInstances: { instance: false, read: true, hot: false },
  queryInstances: { instance: false, read: true, hot: false },
  listCheckpoints: { instance: false, read: true, hot: false },
  listEvents: { instance: false, read: true, hot: false },
  listHistory: { instance: false, read: true, hot: false },
  readChanges: { instance: false, read: true, hot: false },
  readPublished: { instance: false, read: true, hot: false },
  checkHealth: { instance: false, read: true, hot: false },
  removeOld: { instance: false, read: false, hot: false },
};
