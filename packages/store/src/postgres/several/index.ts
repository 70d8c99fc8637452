import type { Operation, OperationKind, OperationOf, ResultOf } from "../../operations/index.ts";
import type { Connections } from "../connections/port.ts";
import { listCheckpoints } from "../listings/checkpoints.ts";
import { listEvents } from "../listings/events.ts";
import { listHistory, readChanges } from "../listings/history.ts";
import { listInstances, queryInstances } from "../listings/instances.ts";
import { checkHealth, readPublished } from "../listings/published.ts";
import type { InstanceChanges } from "../rows/write-rows.ts";
import { claimWork } from "./claim.ts";
import { fireDue } from "./due.ts";
import { releaseWork, renewLease } from "./lease.ts";
import { readSignals } from "./read-signals.ts";
import { removeOld } from "./remove-old.ts";
import { claimSchedules, deleteSchedule, listSchedules, moveSchedule, putSchedule } from "./schedules.ts";
import { settleEnded } from "./settle.ts";
import type { SeveralDone } from "./several.ts";
import { touchInstances } from "./touch.ts";

/** The kinds that are carried out one by one, on connections of their own: those of several instances. */
export type SeveralKind =
  | "touchInstances"
  | "fireDue"
  | "settleEnded"
  | "readSignals"
  | "claimWork"
  | "renewLease"
  | "releaseWork"
  | "putSchedule"
  | "deleteSchedule"
  | "listSchedules"
  | "claimSchedules"
  | "moveSchedule"
  | "listInstances"
  | "queryInstances"
  | "listCheckpoints"
  | "listEvents"
  | "listHistory"
  | "readChanges"
  | "readPublished"
  | "checkHealth"
  | "removeOld";

type Handlers = {
  readonly [K in SeveralKind]: (
    connections: Connections,
    operation: OperationOf<K>,
  ) => Promise<SeveralDone<ResultOf[K]>>;
};

const none: readonly InstanceChanges[] = [];

/** What only reads has written nothing. */
function reading<O, R extends ResultOf[OperationKind]>(
  read: (connections: Connections, operation: O) => Promise<R>,
): (connections: Connections, operation: O) => Promise<SeveralDone<R>> {
  return async (connections, operation) => ({ result: await read(connections, operation), written: none });
}

const handlers: Handlers = {
  touchInstances,
  fireDue,
  settleEnded,
  readSignals: reading(readSignals),
  claimWork,
  renewLease,
  releaseWork,
  putSchedule,
  deleteSchedule,
  listSchedules: reading(listSchedules),
  claimSchedules,
  moveSchedule,
  listInstances: reading(listInstances),
  queryInstances: reading(queryInstances),
  listCheckpoints: reading(listCheckpoints),
  listEvents: reading(listEvents),
  listHistory: reading(listHistory),
  readChanges: reading(readChanges),
  readPublished: reading(readPublished),
  checkHealth: reading(checkHealth),
  removeOld,
};

export function isOfSeveral(operation: Operation): operation is OperationOf<SeveralKind> {
  return operation.kind in handlers;
}

export function carryOutSeveral(
  connections: Connections,
  operation: OperationOf<SeveralKind>,
): Promise<SeveralDone<ResultOf[OperationKind]>> {
  // The table pairs each kind with its own operation; TypeScript cannot follow that through an index.
  const handler = handlers[operation.kind] as (
    connections: Connections,
    operation: Operation,
  ) => Promise<SeveralDone<ResultOf[OperationKind]>>;
  return handler(connections, operation);
}
