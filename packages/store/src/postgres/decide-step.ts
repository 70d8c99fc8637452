import type { FactsOf } from "../decide/facts.ts";
import type { Decision, InstanceRow, WideDecision } from "../decide/index.ts";
import * as decide from "../decide/index.ts";
import type { Operation, OperationOf, ResultOf } from "../operations/index.ts";
import type { Sessions, Transaction } from "./connections/port.ts";
import * as facts from "./facts/read.ts";
import { type LockedRows, lockRows } from "./rows/lock.ts";
import { writeChanges } from "./rows/write-changes.ts";
import type { InstanceChanges } from "./rows/write-rows.ts";
import { instancesOf } from "./waves.ts";

export type DecidedKind = keyof FactsOf;
export type AnyResult = ResultOf[keyof ResultOf];

/** What comes with the locked rows is added when all is read. */
type ReadFacts<K extends DecidedKind> = Omit<FactsOf[K], "signalPayload" | "parent">;

interface Decider<K extends DecidedKind> {
  /** Absent = the rows are all that is needed. */
  readonly read?: (transaction: Transaction, operations: readonly OperationOf<K>[]) => Promise<readonly ReadFacts<K>[]>;
  readonly decide: (
    operation: OperationOf<K>,
    row: InstanceRow | undefined,
    facts: FactsOf[K],
  ) => Decision<ResultOf[K]> | WideDecision<ResultOf[K]>;
}

type AnyDecision = Decision<AnyResult> | WideDecision<AnyResult>;

interface AnyDecider {
  readonly decide: (operation: Operation, row: InstanceRow | undefined, facts: object) => AnyDecision;
}

const deciders: { readonly [K in DecidedKind]: Decider<K> } = {
  registerInstance: { read: facts.readRegisterInstance, decide: decide.decideRegisterInstance },
  startInstance: { read: facts.readStartInstance, decide: decide.decideStartInstance },
  saveCheckpoint: { read: facts.readSaveCheckpoint, decide: decide.decideSaveCheckpoint },
  saveBatch: { read: facts.readSaveBatch, decide: decide.decideSaveBatch },
  publish: { read: facts.readPublish, decide: decide.decidePublish },
  recordRetry: { read: facts.readRecordRetry, decide: decide.decideRecordRetry },
  appendEvent: { decide: (operation, row) => decide.decideAppendEvent(operation, row) },
  suspendUntil: { read: facts.readSuspendUntil, decide: decide.decideSuspendUntil },
  beginSleep: { read: facts.readBeginSleep, decide: decide.decideBeginSleep },
  endSleep: { read: facts.readEndSleep, decide: decide.decideEndSleep },
  pollSignals: { read: facts.readPollSignals, decide: decide.decidePollSignals },
  acknowledgeSignal: { decide: (operation, row) => decide.decideAcknowledgeSignal(operation, row) },
  sendSignal: { decide: (operation, row) => decide.decideSendSignal(operation, row) },
  sendCustomSignal: { read: facts.readSendCustomSignal, decide: decide.decideSendCustomSignal },
  controlInstance: { decide: (operation, row) => decide.decideControlInstance(operation, row) },
};

/** What a transaction has answered and written. */
export interface Decided {
  readonly results: readonly AnyResult[];
  readonly written: readonly InstanceChanges[];
}

/**
 * Carries out operations of any kinds, each of other instances, in one transaction: the rows are locked and all facts read in one round trip,
 * decided here, and written in a second one.
 */
export function decideTogether(session: Sessions, operations: readonly OperationOf<DecidedKind>[]): Promise<Decided> {
  return session.transaction(async (transaction) => {
    const [rows, read] = await Promise.all([
      lockRows(transaction, operations.flatMap(instancesOf)),
      readFacts(transaction, operations),
    ]);
    const results: AnyResult[] = [];
    const written: InstanceChanges[] = [];
    for (const operation of operations) {
      const decision = decideOne(operation, rows, read.get(operation));
      results.push(decision.result);
      if (decision.changes !== undefined) written.push({ instanceId: operation.instanceId, changes: decision.changes });
      if ("others" in decision) written.push(...decision.others);
    }
    writeChanges(transaction, written);
    return { results, written };
  });
}

/** The facts of each operation: all kinds send their statements before anything is waited for. */
async function readFacts(
  transaction: Transaction,
  operations: readonly OperationOf<DecidedKind>[],
): Promise<Map<Operation, object>> {
  const groups = Map.groupBy(operations, ({ kind }) => kind);
  const read = new Map<Operation, object>();
  await Promise.all([...groups].map(([kind, group]) => readGroup(kind, group)));
  return read;

  async function readGroup<K extends DecidedKind>(kind: K, group: readonly Operation[]): Promise<void> {
    const decider: Decider<K> = deciders[kind];
    const found = await decider.read?.(transaction, group as readonly OperationOf<K>[]);
    for (const [index, operation] of group.entries()) read.set(operation, found?.[index] ?? {});
  }
}

function decideOne(operation: OperationOf<DecidedKind>, rows: LockedRows, read: object | undefined): AnyDecision {
  const parentId = operation.kind === "startInstance" ? operation.parent?.instanceId : undefined;
  const whole = {
    ...read,
    signalPayload: rows.signalPayload(operation.instanceId),
    parent: parentId === undefined ? undefined : rows.get(parentId),
  };
  // The table pairs each kind with its own operation and facts; TypeScript cannot follow that through an index.
  const { decide } = deciders[operation.kind] as unknown as AnyDecider;
  return decide(operation, rows.get(operation.instanceId), whole);
}
