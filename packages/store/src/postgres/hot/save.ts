import { StoreError } from "../../errors.ts";
import { acceptingStatuses } from "../../lifecycle/transition.ts";
import type { CustomSignal, InstanceStatus, PendingSignal, SignalType } from "../../model.ts";
import type { SaveBatch, SaveBatchResult, SaveCheckpoint, SaveCheckpointResult } from "../../operations/index.ts";
import { emptyBytes } from "../bytes.ts";
import type { Row, Sessions } from "../connections/port.ts";
import { storedStatement } from "../facts/statements.ts";
import { boolArray, byteaArray, distinctIds, int8Array, textArray } from "../parameters.ts";
import { pendingSignalOf } from "../rows/pending-signal.ts";
import { plainSave } from "./save-new.ts";
import { saveStatement } from "./save-statement.ts";

type Save = SaveCheckpoint | SaveBatch;
type SaveResult = SaveCheckpointResult | SaveBatchResult;

/** One row to insert: an operation's checkpoint, or one of a batch's entries. */
interface Call {
  readonly instanceId: string;
  readonly checkpointId: string;
  readonly state: Uint8Array;
  readonly epoch: number | null;
  readonly takes: boolean;
  /** It or another call of its instance in this statement takes signals. */
  together: boolean;
  readonly nowMs: number;
}

/** What the statement told of a call; undefined = saved and nothing else. */
type Answered = CallAnswer | undefined;
interface CallAnswer {
  readonly status: InstanceStatus | null;
  readonly epoch: number;
  readonly queuedSignals: number;
  readonly saved: boolean;
  state: Uint8Array | null;
  readonly signal: PendingSignal | undefined;
  readonly custom: CustomSignal | undefined;
}

const accepting = acceptingStatuses("save");

/**
 * Carries out saves with one statement; throws if nothing was changed. The result of an operation is undefined where the instance has queued
 * signals and the call may take one: nothing has happened then, and it goes the way of `decide`.
 */
export async function save(
  session: Sessions,
  operations: readonly Save[],
): Promise<(SaveResult | StoreError | undefined)[]> {
  const calls = operations.flatMap(callsOf);
  markTogether(operations, calls);
  const { rows } = await session.query(saveStatement, [
    textArray(calls.map((call) => call.instanceId)),
    textArray(calls.map((call) => call.checkpointId)),
    byteaArray(calls.map((call) => call.state)),
    int8Array(calls.map((call) => call.epoch)),
    boolArray(calls.map((call) => call.takes)),
    boolArray(calls.map((call) => call.together)),
    int8Array(calls.map((call) => call.nowMs)),
    distinctIds(calls.map((call) => call.instanceId)),
  ]);
  if (rows.length === 0) return operations.map((operation) => resultWithoutRows(operation));
  const answers: Answered[] = new Array(calls.length).fill(undefined);
  for (const row of rows) answers[Number(row[0]) - 1] = answerOf(row, calls[Number(row[0]) - 1]);
  const unread = await readUnseen(session, calls, answers);
  let at = 0;
  return operations.map((operation) => {
    const size = operation.kind === "saveBatch" ? operation.entries.length : 1;
    const own = answers.slice(at, at + size);
    const first = at;
    at += size;
    if (unread !== undefined && own.some((answer, place) => lacksBytes(answer, calls[first + place]))) return unread;
    return resultOf(operation, own, calls[first]?.together === true);
  });
}

function callsOf(operation: Save): readonly Call[] {
  const { instanceId, nowMs } = operation;
  const epoch = operation.epoch ?? null;
  if (operation.kind === "saveCheckpoint") {
    const { checkpointId, state } = operation;
    return [{ instanceId, checkpointId, state, epoch, takes: true, together: true, nowMs }];
  }
  return operation.entries.map(({ checkpointId, state }) => ({
    instanceId,
    checkpointId,
    state,
    epoch,
    takes: false,
    together: false,
    nowMs,
  }));
}

/** Batches take nothing, but keep their place among the calls of their instance that do. */
function markTogether(operations: readonly Save[], calls: readonly Call[]): void {
  if (operations.every(({ kind }) => kind === "saveCheckpoint")) return;
  const taking = new Set(calls.flatMap(({ takes, instanceId }) => (takes ? [instanceId] : [])));
  for (const call of calls) call.together = taking.has(call.instanceId);
}

function answerOf(row: Row, call: Call | undefined): CallAnswer {
  const [, status, epoch, queuedSignals, saved, state, signalType, signalPayload, slotId, slotPayload] =
    row as readonly [
      number,
      InstanceStatus | null,
      number,
      number,
      boolean,
      Buffer | null,
      SignalType | null,
      Buffer | null,
      number | null,
      Buffer | null,
    ];
  const checkpointId = call?.checkpointId ?? "";
  return {
    status,
    epoch,
    queuedSignals,
    saved,
    state,
    signal: pendingSignalOf(signalType, signalPayload),
    custom: slotId === null ? undefined : { checkpointId, payload: slotPayload ?? emptyBytes },
  };
}

/** Whether the statement let the call pass; the conditions are those of its `accepted`. */
function isAccepted(answer: CallAnswer, call: Call): boolean {
  return refusalOf(answer, call.epoch ?? undefined) === undefined && !(call.together && answer.queuedSignals > 0);
}

/** Answers why those calls have no bytes, if they could not be read: their batch is committed all the same. */
async function readUnseen(
  session: Sessions,
  calls: readonly Call[],
  answers: readonly Answered[],
): Promise<StoreError | undefined> {
  const unseen = calls.flatMap((call, index) => {
    const answer = answers[index];
    return answer !== undefined && isUnseen(answer, call) ? [{ call, answer }] : [];
  });
  if (unseen.length === 0) return undefined;
  try {
    const { rows } = await session.query(storedStatement, [
      textArray(unseen.map(({ call }) => call.instanceId)),
      textArray(unseen.map(({ call }) => call.checkpointId)),
    ]);
    for (const [ord, state] of rows as readonly (readonly [number, Buffer])[]) {
      const found = unseen[ord - 1];
      if (found !== undefined) found.answer.state = state;
    }
    return undefined;
  } catch (cause) {
    return new StoreError("UNKNOWN_OUTCOME", "a checkpoint that another process saved could not be read; ask again", {
      cause,
    });
  }
}

function lacksBytes(answer: Answered, call: Call | undefined): boolean {
  return answer !== undefined && call !== undefined && isUnseen(answer, call);
}

/** Another transaction saved it while this one waited for the lock. */
function isUnseen(answer: CallAnswer, call: Call): boolean {
  return !answer.saved && answer.state === null && isAccepted(answer, call);
}

function resultWithoutRows(operation: Save): SaveResult {
  return operation.kind === "saveCheckpoint" ? plainSave : resultOfBatch(operation, []);
}

function resultOf(operation: Save, answers: readonly Answered[], together: boolean): SaveResult | undefined {
  for (const answer of answers) {
    const refusal = answer === undefined ? undefined : refusalOf(answer, operation.epoch);
    if (refusal !== undefined) return refusal;
  }
  const [answer] = answers;
  if (together && (answer?.queuedSignals ?? 0) > 0) return undefined;
  if (operation.kind === "saveBatch") return resultOfBatch(operation, answers);
  if (answer === undefined) return plainSave;
  return {
    outcome: answer.saved ? "saved" : "found",
    state: answer.state ?? emptyBytes,
    signal: answer.signal,
    custom: answer.custom,
  };
}

function resultOfBatch({ entries }: SaveBatch, answers: readonly Answered[]): SaveBatchResult {
  return {
    outcome: "saved",
    entries: entries.map((_, index) => {
      const answer = answers[index];
      return { state: answer === undefined || answer.saved ? undefined : (answer.state ?? emptyBytes) };
    }),
    signal: answers.find((answer) => answer?.signal !== undefined)?.signal,
  };
}

function refusalOf(
  answer: CallAnswer,
  epoch: number | undefined,
): Exclude<SaveResult, { outcome: "saved" | "found" | "runMismatch" }> | undefined {
  if (answer.status === null) return { outcome: "unknownInstance" };
  if (epoch !== undefined && epoch !== answer.epoch) return { outcome: "fenced", epoch: answer.epoch };
  if (!accepting.includes(answer.status)) return { outcome: "refused", status: answer.status };
  return undefined;
}
