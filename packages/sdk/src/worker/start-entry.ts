// The first entry of an instance: what it was started with, saved once before the first turn.

import { StartConflictError } from "../errors.ts";
import { outcomeOf, readEnvelope, readSeq, writeEnvelope } from "../run/envelope.ts";
import type { Sealed } from "../values/codec-port.ts";
import { differences } from "../values/differences.ts";
import { storeValue } from "../values/index.ts";

export interface StartFacts {
  readonly workflow: string;
  readonly startedAt: number;
  readonly seed: string;
  readonly input: unknown;
}

interface StoredStart {
  readonly workflow: string;
  readonly seed: string;
  /** What the function is given. */
  readonly input?: unknown;
  /** What the caller gave, where the schema made something else of it. */
  readonly given?: unknown;
  /** The input was refused: the instance fails with this. */
  readonly error?: unknown;
}

/** The payload of a start entry. `given` is only stored when it differs from the input.
 *  @throws UnstorableValueError, ValueTooLargeError for the input */
export function startPayload({ workflow, seed, input }: StartFacts, given: unknown, error: unknown): string {
  const origin = { root: "input", describe: () => `workflow ${JSON.stringify(workflow)} was started with` };
  const inputText = storeValue(input, origin);
  const givenText = storeValue(given, origin);
  const members = [`"workflow":${JSON.stringify(workflow)}`, `"seed":${JSON.stringify(seed)}`, `"input":${inputText}`];
  if (givenText !== inputText) members.push(`"given":${givenText}`);
  if (error !== undefined) members.push(`"error":${storeValue(error, origin)}`);
  return `{${members.join()}}`;
}

/** The state of a start entry; `payload` as it is, or as a codec made it. */
export function writeStart(startedAt: number, payload: string | Sealed): string {
  return writeEnvelope({ seq: 0, at: startedAt, kind: "start" }, "value", payload);
}

export interface Start extends StartFacts {
  readonly given: unknown;
  readonly error: unknown;
}

/** Reads a start entry. @throws StartConflictError when the state is none; UnreadableValueError */
export function readStart(instanceId: string, text: string): Start {
  const isOurs = readSeq(text) !== undefined && readEnvelope(text).kind === "start";
  if (!isOurs) throw foreignInstance(instanceId);
  const envelope = readEnvelope(text);
  const { workflow, seed, input, given, error } = outcomeOf(envelope) as StoredStart;
  const hasGiven = Object.hasOwn(envelope.stored as object, "given");
  return { workflow, seed, input, given: hasGiven ? given : input, error, startedAt: envelope.at };
}

/** @returns the error for an instance that has checkpoints, but no start of ours */
export function foreignInstance(instanceId: string): StartConflictError {
  return new StartConflictError(
    `instance ${instanceId} exists and holds checkpoints that no workflow of this kind wrote; choose another id`,
  );
}

/** The same id must mean the same workflow and, if the caller says one, the same input.
 *  @throws StartConflictError naming the fields that differ */
export function checkSameStart(
  instanceId: string,
  start: Pick<Start, "workflow" | "given">,
  workflow: string,
  claim: { readonly input: unknown } | undefined,
): void {
  if (start.workflow !== workflow) {
    throw new StartConflictError(
      `instance ${instanceId} is one of workflow ${JSON.stringify(start.workflow)}, not of ${JSON.stringify(workflow)}; choose another id`,
    );
  }
  if (!claim) return;
  const origin = { root: "input", describe: () => `workflow ${JSON.stringify(workflow)} was started with` };
  // Compared in stored form, where a Date is a Date and a missing member is missing.
  const fields = differences(
    JSON.parse(storeValue(start.given, origin)),
    JSON.parse(storeValue(claim.input, origin)),
    "input",
  );
  if (fields.length === 0) return;
  const shown = fields.slice(0, 5).join("; ");
  const more = fields.length > 5 ? `; and ${fields.length - 5} more` : "";
  throw new StartConflictError(
    `instance ${instanceId} was started with another input: ${shown}${more}. Leave the input out to go on with the stored one, or choose another id`,
  );
}
