import { CancelledError, CompensationError, isRuntaraError } from "../errors.ts";
import { limits } from "../limits.ts";
import { storeValue } from "../values/index.ts";
import { thrownText } from "../values/thrown-text.ts";
import type { RunContext } from "./context.ts";
import { isContinuation } from "./continuation.ts";
import { watchGlobals } from "./guard.ts";
import type { Compensation, OperationLike, RunHost } from "./host.ts";
import { SleepOperation } from "./operations/sleep.ts";
import { StepOperation } from "./operations/step.ts";
import type { Source } from "./source.ts";

export type Body = (input: unknown, context: RunContext) => unknown;

const nowhere: Source = { text: "", json: '""' };

/**
 * The workflow function, and what undoes its steps when it fails or is cancelled. All of it is made of ordinary durable calls, so a replay
 * goes the same way.
 * @throws what the function threw; CompensationError, with that as its cause, when a compensation fails for good
 */
export async function runBody(host: RunHost, body: Body, input: unknown, context: RunContext): Promise<unknown> {
  if (host.isGuarded) watchGlobals();
  try {
    const result = await body(input, context);
    // What can't be stored is a failure as well, and has to be known before the run ends.
    if (host.compensations.length > 0) checkOutput(host, result);
    return result;
  } catch (error) {
    if (host.compensations.length === 0) throw error;
    context.close();
    const errors = await compensate(host, context, error);
    throw errors.length === 0 ? error : compensationError(host, errors, error);
  }
}

function checkOutput(host: RunHost, output: unknown): void {
  if (output === undefined || isContinuation(output)) return;
  storeValue(output, {
    root: "output",
    describe: () => `workflow ${JSON.stringify(host.facts.workflow)} returned`,
  });
}

/** Runs the compensations, newest first, one after another. Gives the errors of those that failed for good; the rest run all the same. */
async function compensate(host: RunHost, context: RunContext, cause: unknown): Promise<unknown[]> {
  host.beginCompensating();
  await endBodies(host, cause);
  const errors: unknown[] = [];
  for (const compensation of [...host.compensations].reverse()) {
    try {
      await undo(host, context, compensation);
    } catch (error) {
      errors.push(error);
      tellFailed(host, compensation, error);
    }
  }
  return errors;
}

/** Tells what still runs to stop, and waits for it: so the results are known. Not for ever. */
async function endBodies(host: RunHost, cause: unknown): Promise<void> {
  const steps = [...host.pending.values()].filter(({ isWait }) => !isWait);
  if (steps.length === 0) return;
  const why = isRuntaraError(cause, "CANCELLED") ? "the instance was cancelled" : "the workflow has failed";
  host.cancelBodies(new CancelledError(`${why}, and its compensations begin`));
  const dueAt = host.now + host.drainMs;
  const drain = new SleepOperation(host, `${host.rootScope.prefix}!drain`, "!drain", nowhere, dueAt);
  host.call(drain, () => undefined);
  await Promise.race([drain.promise, settled(steps)]);
  host.withdraw(drain, "the bodies have ended");
}

async function settled(operations: readonly OperationLike[]): Promise<void> {
  await Promise.allSettled(operations.map(({ promise }) => promise));
}

function undo(host: RunHost, context: RunContext, compensation: Compensation): Promise<unknown> {
  const { id, name, source, policy, run } = compensation;
  const frame = { context, step: `${name} (compensation)` };
  const operation = new StepOperation(host, { id, name, source, frame, calledAt: host.now }, run, policy);
  host.call(operation, () => source.text);
  return operation.promise;
}

function tellFailed(host: RunHost, { id, name }: Compensation, error: unknown): void {
  const text = thrownText(error).slice(0, limits.noteTextCharsMax);
  host.emit("compensation_failed", JSON.stringify({ id, name, error: text }));
  if (!host.isReplaying) host.tell({ type: "compensationFailed", id, error });
}

function compensationError({ facts, compensations }: RunHost, errors: readonly unknown[], cause: unknown): Error {
  const which = `${errors.length} of ${compensations.length} compensations`;
  return new CompensationError(
    `workflow ${JSON.stringify(facts.workflow)} failed (${thrownText(cause)}), and so did ${which}: ${errors.map(thrownText).join("; ")}`,
    errors,
    { cause },
  );
}
