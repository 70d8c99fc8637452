import type { OperationKind } from "./index.ts";

/** What an engine must know of a kind. */
export interface KindOfOperation {
  /** It concerns one instance and takes its place in that instance's order. */
  readonly instance: boolean;
  /** It writes nothing; pollSignals only without a checkpoint id. */
  readonly read: boolean;
}

export const kinds: Readonly<Record<OperationKind, KindOfOperation>> = {
  registerInstance: { instance: true, read: false },
  startInstance: { instance: true, read: false },
  touchInstances: { instance: false, read: false },
  readInstance: { instance: true, read: true },
  saveCheckpoint: { instance: true, read: false },
  saveBatch: { instance: true, read: false },
  publish: { instance: true, read: false },
  loadCheckpoint: { instance: true, read: true },
  listOwnCheckpoints: { instance: true, read: true },
  recordRetry: { instance: true, read: false },
  appendEvent: { instance: true, read: false },
  suspendUntil: { instance: true, read: false },
  beginSleep: { instance: true, read: false },
  endSleep: { instance: true, read: false },
  fireDue: { instance: false, read: false },
  settleEnded: { instance: false, read: false },
  pollSignals: { instance: true, read: false },
  readSignals: { instance: false, read: true },
  acknowledgeSignal: { instance: true, read: false },
  sendSignal: { instance: true, read: false },
  sendCustomSignal: { instance: true, read: false },
  controlInstance: { instance: true, read: false },
  claimWork: { instance: false, read: false },
  renewLease: { instance: false, read: false },
  releaseWork: { instance: false, read: false },
  putSchedule: { instance: false, read: false },
  deleteSchedule: { instance: false, read: false },
  listSchedules: { instance: false, read: true },
  claimSchedules: { instance: false, read: false },
  moveSchedule: { instance: false, read: false },
  listInstances: { instance: false, read: true },
  queryInstances: { instance: false, read: true },
  listCheckpoints: { instance: false, read: true },
  listEvents: { instance: false, read: true },
  listHistory: { instance: false, read: true },
  readChanges: { instance: false, read: true },
  readPublished: { instance: false, read: true },
  checkHealth: { instance: false, read: true },
  removeOld: { instance: false, read: false },
};
