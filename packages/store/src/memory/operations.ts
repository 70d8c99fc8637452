import * as decide from "../decide/index.ts";
import type { OperationKind, OperationOf, ResultOf } from "../operations/index.ts";
import type { Context } from "./context.ts";
import * as facts from "./facts.ts";
import { reads } from "./reads.ts";
import type { InstanceRecord } from "./records.ts";
import { removeOld } from "./retention.ts";
import { schedules } from "./schedules.ts";
import { fireDue, settleEnded, touchInstances } from "./timers.ts";
import { claimWork, releaseWork, renewLease } from "./work.ts";

type Handlers = { readonly [K in OperationKind]: (context: Context, operation: OperationOf<K>) => ResultOf[K] };

const handlers: Handlers = {
  registerInstance: onInstance(decide.decideRegisterInstance, facts.registerFacts),
  startInstance,
  saveCheckpoint: onInstance(decide.decideSaveCheckpoint, facts.saveCheckpointFacts),
  saveBatch: onInstance(decide.decideSaveBatch, facts.saveBatchFacts),
  publish: onInstance(decide.decidePublish, (record, { messages }) => facts.publishFacts(record, messages)),
  recordRetry: onInstance(decide.decideRecordRetry, (record, { checkpointId }) => ({
    checkpointExists: record?.checkpoints.has(checkpointId) ?? false,
  })),
  appendEvent: onInstance(decide.decideAppendEvent, () => undefined),
  suspendUntil: onInstance(decide.decideSuspendUntil, facts.suspendFacts),
  beginSleep: onInstance(decide.decideBeginSleep, facts.beginSleepFacts),
  endSleep: onInstance(decide.decideEndSleep, facts.endSleepFacts),
  pollSignals: onInstance(decide.decidePollSignals, (record, { checkpointId }) =>
    facts.customSignalFacts(record, checkpointId),
  ),
  acknowledgeSignal: onInstance(decide.decideAcknowledgeSignal, () => undefined),
  sendSignal: onInstance(decide.decideSendSignal, () => undefined),
  sendCustomSignal: onInstance(decide.decideSendCustomSignal, (record, operation, { database }) =>
    facts.customSendFacts(database, record, operation),
  ),
  controlInstance: onInstance(decide.decideControlInstance, () => undefined),
  touchInstances,
  claimWork,
  renewLease,
  releaseWork,
  fireDue,
  settleEnded,
  removeOld,
  ...schedules,
  ...reads,
};

/** Carries one operation out, whole or, if it throws, not at all. */
export function carryOut<K extends OperationKind>(context: Context, operation: OperationOf<K>): ResultOf[K] {
  // The table pairs each kind with its own operation; TypeScript cannot follow that through an index.
  const handler = handlers[operation.kind as K] as (context: Context, operation: OperationOf<K>) => ResultOf[K];
  return handler(context, operation);
}

/** Most operations are about one instance: read its facts, decide, write. */
function onInstance<Operation extends { readonly instanceId: string }, Facts, Result>(
  decideOne: (operation: Operation, row: decide.InstanceRow | undefined, facts: Facts) => decide.Decision<Result>,
  factsOf: (record: InstanceRecord | undefined, operation: Operation, context: Context) => Facts,
): (context: Context, operation: Operation) => Result {
  return (context, operation) => {
    const record = context.record(operation.instanceId);
    const { result, changes } = decideOne(operation, record?.row, factsOf(record, operation, context));
    context.write(operation.instanceId, changes);
    return result;
  };
}

function startInstance(context: Context, operation: OperationOf<"startInstance">): ResultOf["startInstance"] {
  const { instanceId, parent } = operation;
  const record = context.record(instanceId);
  const decision = decide.decideStartInstance(operation, record?.row, {
    input: record?.input ?? null,
    parent: parent === undefined ? undefined : context.record(parent.instanceId)?.row,
  });
  context.writeWide({ instanceId }, decision);
  return decision.result;
}
