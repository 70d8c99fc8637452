import type {
  BeginSleepFacts,
  CustomSignalFacts,
  EndSleepFacts,
  PublishFacts,
  RecordRetryFacts,
  RegisterInstanceFacts,
  SaveBatchFacts,
  SaveCheckpointFacts,
  SendCustomSignalFacts,
  StartInstanceFacts,
  SuspendUntilFacts,
} from "../../decide/facts.ts";
import { oldestSignals } from "../../engines/arrivals.ts";
import { parseRetryId } from "../../engines/retry-id.ts";
import type { QueuedSignal } from "../../model.ts";
import type {
  BeginSleep,
  EndSleep,
  PollSignals,
  Publish,
  RecordRetry,
  RegisterInstance,
  SaveBatch,
  SaveCheckpoint,
  SendCustomSignal,
  StartInstance,
  SuspendUntil,
} from "../../operations/index.ts";
import { emptyBytes } from "../bytes.ts";
import type { Parameter, Row, Statement, Transaction } from "../connections/port.ts";
import { int4Array, int8Array, textArray } from "../parameters.ts";
import * as statements from "./statements.ts";

// Readers of the facts of all operations of one kind, in their order. What comes with the locked rows (signal payloads, parents) is added by
// those who decide. They send all their statements before they wait.

type Facts<T> = Omit<T, "signalPayload">;
interface OfInstance {
  readonly instanceId: string;
}

const instanceIds = (operations: readonly OfInstance[]): Buffer =>
  textArray(operations.map(({ instanceId }) => instanceId));

/** Rows by their first column, the place of what they belong to. */
async function byPlace(
  transaction: Transaction,
  statement: Statement,
  values: readonly Parameter[],
): Promise<(index: number) => readonly Row[]> {
  const { rows } = await transaction.query(statement, values);
  const places = new Map<number, Row[]>();
  for (const row of rows) {
    const place = row[0] as number;
    const found = places.get(place);
    if (found === undefined) places.set(place, [row]);
    else found.push(row);
  }
  return (index) => places.get(index + 1) ?? [];
}

const none = (): readonly Row[] => [];

export async function readRegisterInstance(
  transaction: Transaction,
  operations: readonly RegisterInstance[],
): Promise<Facts<RegisterInstanceFacts>[]> {
  const named = operations.some(({ checkpointId }) => checkpointId !== undefined);
  const retries = operations.map(({ checkpointId }) => parseRetryId(checkpointId ?? ""));
  const [life, exists] = await Promise.all([
    byPlace(transaction, statements.lifeStatement, [instanceIds(operations)]),
    named
      ? byPlace(transaction, statements.existsStatement, [
          instanceIds(operations),
          textArray(operations.map(({ checkpointId }) => checkpointId ?? null)),
          textArray(retries.map((retry) => retry?.base ?? null)),
          int8Array(retries.map((retry) => retry?.attempt ?? null)),
        ])
      : none,
  ]);
  return operations.map((_, index) => {
    const [row] = life(index) as readonly (readonly [number, Uint8Array | null, number])[];
    return { checkpointExists: exists(index).length > 0, retryCount: row?.[2] ?? 0, input: row?.[1] ?? null };
  });
}

export async function readStartInstance(
  transaction: Transaction,
  operations: readonly StartInstance[],
): Promise<Omit<StartInstanceFacts, "parent">[]> {
  const life = await byPlace(transaction, statements.lifeStatement, [instanceIds(operations)]);
  return operations.map((_, index) => {
    const [row] = life(index) as readonly (readonly [number, Uint8Array | null])[];
    return { input: row?.[1] ?? null };
  });
}

async function readTakeable(
  transaction: Transaction,
  operations: readonly { readonly instanceId: string; readonly checkpointId?: string }[],
): Promise<Facts<CustomSignalFacts>[]> {
  const takeable = await byPlace(transaction, statements.takeableStatement, [
    instanceIds(operations),
    textArray(operations.map(({ checkpointId }) => checkpointId ?? null)),
  ]);
  return operations.map((_, index) => {
    const [row] = takeable(index) as readonly (readonly [
      number,
      number | null,
      Buffer | null,
      number | null,
      Buffer | null,
    ])[];
    const [, slotId = null, slotPayload = null, queuedId = null, queuedPayload = null] = row ?? [];
    return {
      slot: slotId === null ? undefined : { signalId: slotId, payload: slotPayload },
      queued: queuedId === null ? undefined : { signalId: queuedId, payload: queuedPayload },
    };
  });
}

export function readPollSignals(
  transaction: Transaction,
  operations: readonly PollSignals[],
): Promise<Facts<CustomSignalFacts>[]> {
  return readTakeable(transaction, operations);
}

export async function readSaveCheckpoint(
  transaction: Transaction,
  operations: readonly SaveCheckpoint[],
): Promise<Facts<SaveCheckpointFacts>[]> {
  const [takeable, stored] = await Promise.all([
    readTakeable(transaction, operations),
    byPlace(transaction, statements.storedStatement, [
      instanceIds(operations),
      textArray(operations.map(({ checkpointId }) => checkpointId)),
    ]),
  ]);
  return takeable.map((facts, index) => ({ ...facts, stored: stored(index)[0]?.[1] as Uint8Array | undefined }));
}

/** A list for each operation as one list of rows, and back. */
function flattened<O extends OfInstance, T>(
  operations: readonly O[],
  listOf: (operation: O) => readonly T[],
): { readonly ids: Buffer; readonly items: readonly T[]; readonly startOf: readonly number[] } {
  const ids: string[] = [];
  const items: T[] = [];
  const startOf: number[] = [];
  for (const operation of operations) {
    startOf.push(items.length);
    for (const item of listOf(operation)) {
      ids.push(operation.instanceId);
      items.push(item);
    }
  }
  return { ids: textArray(ids), items, startOf };
}

async function readPublishFacts(
  transaction: Transaction,
  operations: readonly (Publish | SaveBatch)[],
): Promise<PublishFacts[]> {
  const keys = flattened(operations, ({ messages }) =>
    messages.flatMap(({ content }) => (content.kind === "published" ? [content.key] : [])),
  );
  if (keys.items.length === 0) return operations.map(() => ({ publishedKeys: 0, knownKeys: [] }));
  const [counts, known] = await Promise.all([
    byPlace(transaction, statements.publishedCountStatement, [instanceIds(operations)]),
    byPlace(transaction, statements.knownKeysStatement, [keys.ids, textArray(keys.items)]),
  ]);
  return operations.map((_, index) => {
    const start = keys.startOf[index] ?? 0;
    const own = keys.items.slice(start, keys.startOf[index + 1]);
    return {
      publishedKeys: (counts(index)[0]?.[1] as number | undefined) ?? 0,
      knownKeys: own.filter((_key, place) => known(start + place).length > 0),
    };
  });
}

export function readPublish(transaction: Transaction, operations: readonly Publish[]): Promise<PublishFacts[]> {
  return readPublishFacts(transaction, operations);
}

export async function readSaveBatch(
  transaction: Transaction,
  operations: readonly SaveBatch[],
): Promise<Facts<SaveBatchFacts>[]> {
  const entries = flattened(operations, (operation) => operation.entries);
  const consumed = flattened(operations, (operation) =>
    operation.entries.flatMap(({ consumesSignalId }) => (consumesSignalId === undefined ? [] : [consumesSignalId])),
  );
  const [publish, stored, waiting] = await Promise.all([
    readPublishFacts(transaction, operations),
    byPlace(transaction, statements.storedStatement, [
      entries.ids,
      textArray(entries.items.map(({ checkpointId }) => checkpointId)),
    ]),
    consumed.items.length === 0
      ? none
      : byPlace(transaction, statements.consumableStatement, [consumed.ids, int8Array(consumed.items)]),
  ]);
  return operations.map((operation, index) => {
    const start = entries.startOf[index] ?? 0;
    const signals = range(consumed.startOf[index] ?? 0, consumed.startOf[index + 1] ?? consumed.items.length);
    return {
      publishedKeys: publish[index]?.publishedKeys ?? 0,
      knownKeys: publish[index]?.knownKeys ?? [],
      stored: operation.entries.map((_, place) => stored(start + place)[0]?.[1] as Uint8Array | undefined),
      waiting: signals.flatMap((place) =>
        waiting(place).map((row) => ({ signalId: row[1] as number, queued: row[2] as boolean })),
      ),
    };
  });
}

function range(start: number, end: number): readonly number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

export async function readRecordRetry(
  transaction: Transaction,
  operations: readonly RecordRetry[],
): Promise<RecordRetryFacts[]> {
  const nothing = operations.map(() => null);
  const exists = await byPlace(transaction, statements.existsStatement, [
    instanceIds(operations),
    textArray(operations.map(({ checkpointId }) => checkpointId)),
    textArray(nothing),
    int8Array(nothing),
  ]);
  return operations.map((_, index) => ({ checkpointExists: exists(index).length > 0 }));
}

export async function readSuspendUntil(
  transaction: Transaction,
  operations: readonly SuspendUntil[],
): Promise<Facts<SuspendUntilFacts>[]> {
  const names = flattened(operations, (operation) =>
    [...new Set(operation.names)].map((name) => ({ name, afterSignalId: operation.afterSignalId })),
  );
  const [waiting, retries] = await Promise.all([
    names.items.length === 0
      ? none
      : byPlace(transaction, statements.waitingStatement, [
          names.ids,
          textArray(names.items.map(({ name }) => name)),
          int8Array(names.items.map(({ afterSignalId }) => afterSignalId)),
          operations.reduce((bytes, { bytesMax }) => Math.max(bytes, bytesMax), 0),
        ]),
    byPlace(transaction, statements.nextRetryStatement, [
      instanceIds(operations),
      int8Array(operations.map(({ nowMs }) => nowMs)),
    ]),
  ]);
  return operations.map(({ bytesMax }, index) => {
    const places = range(names.startOf[index] ?? 0, names.startOf[index + 1] ?? names.items.length);
    return {
      queued: oldestSignals(
        places.flatMap((place) => waiting(place).map(queuedSignalOf)),
        bytesMax,
      ).queued,
      nextRetryAtMs: (retries(index)[0]?.[1] as number | null) ?? undefined,
    };
  });
}

/** A row of `waitingStatement`. */
export function queuedSignalOf(row: Row): QueuedSignal {
  const [, signalId, name, payload, createdAtMs] = row as readonly [number, number, string, Buffer | null, number];
  return { signalId, name, payload: payload ?? emptyBytes, createdAtMs };
}

export async function readBeginSleep(
  transaction: Transaction,
  operations: readonly BeginSleep[],
): Promise<BeginSleepFacts[]> {
  const sleeps = await byPlace(transaction, statements.sleepsStatement, [
    instanceIds(operations),
    textArray(operations.map(({ checkpointId }) => checkpointId)),
  ]);
  return operations.map((_, index) => {
    const [row] = sleeps(index) as readonly (readonly [number, number | null, boolean, number, number | null])[];
    if (row === undefined) return { latest: undefined, earlier: undefined };
    const [, ordinal, finished, wakeAtMs, earlierWakeAtMs] = row;
    return {
      latest: ordinal === null ? undefined : { ordinal, finished, wakeAtMs },
      earlier: earlierWakeAtMs === null ? undefined : { wakeAtMs: earlierWakeAtMs },
    };
  });
}

export async function readEndSleep(
  transaction: Transaction,
  operations: readonly EndSleep[],
): Promise<EndSleepFacts[]> {
  const records = await byPlace(transaction, statements.sleepStatement, [
    instanceIds(operations),
    textArray(operations.map(({ checkpointId }) => checkpointId)),
    int4Array(operations.map(({ ordinal }) => ordinal)),
  ]);
  return operations.map((_, index) => {
    const [row] = records(index) as readonly (readonly [number, number, boolean, number])[];
    return { record: row === undefined ? undefined : { epoch: row[1], finished: row[2], wakeAtMs: row[3] } };
  });
}

export async function readSendCustomSignal(
  transaction: Transaction,
  operations: readonly SendCustomSignal[],
): Promise<SendCustomSignalFacts[]> {
  const next = await byPlace(transaction, statements.nextSignalStatement, [
    instanceIds(operations),
    textArray(operations.map(({ messageId }) => messageId ?? null)),
  ]);
  return operations.map((_, index) => {
    const [row] = next(index) as readonly (readonly [number, number, number | null])[];
    return { signalId: row?.[1] ?? 0, duplicateOf: row?.[2] ?? undefined };
  });
}
