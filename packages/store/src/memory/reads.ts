import { unknownInstance } from "../decide/index.ts";
import { arrivals } from "../engines/arrivals.ts";
import type { OperationOf, ResultOf } from "../operations/index.ts";
import type { Context } from "./context.ts";
import { fresh, waitingFor } from "./facts.ts";
import { listHistory, readChanges } from "./history.ts";
import { listInstances, queryInstances, shownInstance } from "./instance-listings.ts";
import { listCheckpoints, listEvents, listOwnCheckpoints, readPublished } from "./row-listings.ts";

type ReadKind =
  | "readInstance"
  | "loadCheckpoint"
  | "listOwnCheckpoints"
  | "readSignals"
  | "listInstances"
  | "queryInstances"
  | "listCheckpoints"
  | "listEvents"
  | "listHistory"
  | "readChanges"
  | "readPublished"
  | "checkHealth";
type Reads = { readonly [K in ReadKind]: (context: Context, operation: OperationOf<K>) => ResultOf[K] };

/** Operations that write nothing. */
export const reads: Reads = {
  readInstance(context, operation) {
    const record = context.visible(operation);
    if (record === undefined) return unknownInstance;
    return { outcome: "found", instance: shownInstance(record, operation.withStart) };
  },
  loadCheckpoint,
  listOwnCheckpoints(context, operation) {
    const record = context.record(operation.instanceId);
    if (record === undefined) return unknownInstance;
    const { epoch } = record.row;
    return epoch === operation.epoch ? listOwnCheckpoints(record, operation) : { outcome: "fenced", epoch };
  },
  readSignals,
  listInstances: ({ database }, operation) => listInstances(database, operation),
  queryInstances: ({ database }, operation) => queryInstances(database, operation),
  listCheckpoints: (context, operation) => listCheckpoints(context.visible(operation), operation),
  listEvents: (context, operation) => listEvents(context.visible(operation), operation),
  listHistory(context, operation) {
    const record = context.visible(operation);
    return record === undefined ? unknownInstance : listHistory(record, operation);
  },
  readChanges(context, operation) {
    const record = context.visible(operation);
    return record === undefined ? unknownInstance : readChanges(record, operation);
  },
  readPublished(context, operation) {
    const record = context.visible(operation);
    return record === undefined ? unknownInstance : readPublished(record, operation);
  },
  checkHealth,
};

function loadCheckpoint(context: Context, operation: OperationOf<"loadCheckpoint">): ResultOf["loadCheckpoint"] {
  const record = context.visible(operation);
  if (record === undefined) return unknownInstance;
  const checkpoint = record.checkpoints.get(operation.checkpointId);
  if (checkpoint !== undefined)
    return { outcome: "found", state: checkpoint.state.slice(), createdAtMs: checkpoint.createdAtMs };
  const retry = record.retries.get(operation.checkpointId);
  return retry === undefined
    ? { outcome: "missing" }
    : { outcome: "found", state: new Uint8Array(), createdAtMs: retry.createdAtMs };
}

function readSignals(context: Context, operation: OperationOf<"readSignals">): ResultOf["readSignals"] {
  return arrivals(operation, ({ instanceId, names, afterSignalId }) => {
    const record = context.record(instanceId);
    return (
      record && {
        row: record.row,
        signalPayload: () => fresh(record.pending?.payload ?? null),
        oldest: (bytesMax) => waitingFor(record, names, afterSignalId, bytesMax),
      }
    );
  });
}

function checkHealth({ database }: Context): ResultOf["checkHealth"] {
  let active = 0;
  for (const { row } of database.instances.values())
    if (row.status === "running" || row.status === "suspended") active += 1;
  return { outcome: "healthy", active };
}
