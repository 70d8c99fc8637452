import { StoreError } from "../errors.ts";
import type { Operation, OperationOf } from "../operations/index.ts";
import { storeErrorFrom } from "./connections/errors.ts";
import type { Sessions } from "./connections/port.ts";
import { type AnyResult, type DecidedKind, decideTogether } from "./decide-step.ts";
import { load } from "./hot/load.ts";
import { poll } from "./hot/poll.ts";
import { readInstance } from "./hot/read-instance.ts";
import { save } from "./hot/save.ts";
import { saveNew } from "./hot/save-new.ts";
import { listOwn } from "./listings/own.ts";
import { repeated } from "./repeated.ts";
import type { InstanceChanges } from "./rows/write-rows.ts";
import { planWaves, type Step } from "./waves.ts";

export type Outcome =
  | { readonly error: undefined; readonly result: AnyResult }
  | { readonly error: StoreError; readonly result: undefined };

/** What a wave has come to. */
export interface CarriedOut {
  /** One for each operation, in their order. */
  readonly outcomes: readonly Outcome[];
  /** What was written through decisions; saves are not among it. */
  readonly written: readonly InstanceChanges[];
}

/** The operation itself may be at fault: alone each, the others are carried out. */
const isolableCodes: ReadonlySet<string> = new Set([
  "CONSTRAINT_FAILED",
  "VALUE_TOO_LONG",
  "BUSY",
  "INTERNAL",
  "OVERLOADED",
]);

/**
 * Carries out the operations of one wave together. What another transaction has made fail is repeated; if it still fails, and for other failures
 * that one operation may cause, each is carried out by itself, so that one's failure leaves the others alone.
 */
export async function carryOut(session: Sessions, step: Step, operations: readonly Operation[]): Promise<CarriedOut> {
  const error = await repeated(() => attempt(session, step, operations)).catch((failure: unknown) =>
    storeErrorFrom(failure),
  );
  if (!(error instanceof StoreError)) return error;
  if (operations.length === 1 || !isolableCodes.has(error.code)) {
    return { outcomes: operations.map(() => ({ error, result: undefined })), written: [] };
  }
  const parts: CarriedOut[] = [];
  for (const operation of operations) parts.push(await carryOut(session, step, [operation]));
  return joined(parts);
}

async function attempt(session: Sessions, step: Step, operations: readonly Operation[]): Promise<CarriedOut> {
  switch (step) {
    case "save":
      return await saveAll(session, operations as readonly Save[]);
    case "saveAny":
      return await saveAny(session, operations as readonly Save[]);
    case "load":
      return succeeded(await load(session, operations as readonly OperationOf<"loadCheckpoint">[]));
    case "read":
      return succeeded(await readInstance(session, operations as readonly OperationOf<"readInstance">[]));
    case "poll":
      return succeeded(await poll(session, operations as readonly OperationOf<"pollSignals">[]));
    case "own":
      return succeeded(await listOwn(session, operations as readonly OperationOf<"listOwnCheckpoints">[]));
    case "decide": {
      const { results, written } = await decideTogether(session, operations as readonly OperationOf<DecidedKind>[]);
      return { ...succeeded(results), written };
    }
  }
}

type Save = OperationOf<"saveCheckpoint" | "saveBatch">;

/** What is new and simple is saved by its own statement and stays saved, whatever becomes of the rest. */
async function saveAll(session: Sessions, operations: readonly Save[]): Promise<CarriedOut> {
  const results = await saveNew(session, operations);
  return await withRest(session, "saveAny", operations, results);
}

/** The saves of instances with queued signals are left over by the statement: they are decided, in their order. */
async function saveAny(session: Sessions, operations: readonly Save[]): Promise<CarriedOut> {
  const results = await save(session, operations);
  return await withRest(session, "decide", operations, results);
}

/** Operations without a result are carried out by another step; those of an instance keep their order. */
async function withRest(
  session: Sessions,
  step: Step,
  operations: readonly Operation[],
  results: readonly (AnyResult | StoreError | undefined)[],
): Promise<CarriedOut> {
  const outcomes: Outcome[] = results.map((result) =>
    result instanceof StoreError
      ? { error: result, result: undefined }
      : { error: undefined, result: result as AnyResult },
  );
  const written: InstanceChanges[] = [];
  const rest = operations.flatMap((operation, index) => (results[index] === undefined ? [{ operation, index }] : []));
  for (const { members } of planWaves(rest, () => step)) {
    const done = await carryOut(
      session,
      step,
      members.map(({ operation }) => operation),
    );
    for (const [place, { index }] of members.entries()) {
      const outcome = done.outcomes[place];
      if (outcome !== undefined) outcomes[index] = outcome;
    }
    written.push(...done.written);
  }
  return { outcomes, written };
}

function succeeded(results: readonly AnyResult[]): CarriedOut {
  return { outcomes: results.map((result) => ({ error: undefined, result })), written: [] };
}

function joined(parts: readonly CarriedOut[]): CarriedOut {
  return {
    outcomes: parts.flatMap(({ outcomes }) => outcomes),
    written: parts.flatMap(({ written }) => written),
  };
}
