import type { Duration } from "./durations.ts";
import { ConfigError, ContextError } from "./errors.ts";
import { limits } from "./limits.ts";
import type { Context } from "./run/context.ts";
import { defaultPolicy, policyOf, type Retry, type StepPolicy } from "./run/retry.ts";
import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from "./schema.ts";
import type { Storable } from "./values/storable.ts";

declare const types: unique symbol;

/** A workflow: a name and a function. It starts nothing by itself. */
export interface Workflow<N extends string, I, O> {
  readonly name: N;
  /** Only there for the type checker. */
  readonly [types]?: { readonly input: I; readonly output: O };
}

export type AnyWorkflow = Workflow<string, unknown, unknown>;

/** What a workflow is started with. */
export type InputOf<W extends AnyWorkflow> = NonNullable<W[typeof types]>["input"];
/** What it returns. */
export type OutputOf<W extends AnyWorkflow> = NonNullable<W[typeof types]>["output"];

export interface WorkflowOptions {
  /** Defaults for every step. */
  step?: { retry?: Retry | false; timeout?: Duration };
}

/** A workflow function. An output that can't be stored fails to compile. */
export type Body<I, O> = ((input: I, ctx: Context) => Promise<O>) & Storable<O>;

/** Defines a workflow. Pure: registers nothing, starts nothing. `name`: 1–100 of `[A-Za-z0-9_.-]`.
 *  With `input`, any Standard Schema (zod, valibot, arktype …), the input is validated before the first turn; a changed value is stored.
 *  @throws ConfigError for a name or options that can't be used */
export function workflow<const N extends string, I, O>(name: N, fn: Body<I, O>): Workflow<N, I, O>;
export function workflow<const N extends string, S extends StandardSchemaV1, O>(
  name: N,
  options: WorkflowOptions & { input: S },
  fn: Body<SchemaOutput<S>, O>,
): Workflow<N, SchemaInput<S>, O>;
export function workflow<const N extends string, I, O>(
  name: N,
  options: WorkflowOptions,
  fn: Body<I, O>,
): Workflow<N, I, O>;
export function workflow(
  name: string,
  optionsOrBody: (WorkflowOptions & { input?: StandardSchemaV1 }) | WorkflowDefinition["body"],
  fn?: WorkflowDefinition["body"],
): AnyWorkflow {
  const [options, body] = typeof optionsOrBody === "function" ? [{}, optionsOrBody] : [optionsOrBody, fn];
  checkName(name);
  if (typeof body !== "function")
    throw new ConfigError(`workflow ${JSON.stringify(name)}: the last argument must be a function`);
  const definition: WorkflowDefinition = {
    name,
    body,
    schema: "input" in options ? options.input : undefined,
    stepPolicy: stepPolicyOf(name, options),
  };
  return Object.freeze({ name, [definitionKey]: definition });
}

/** A typed name: all that a client needs. `ref<typeof order>("order")` loads no workflow code. */
export function ref<W extends AnyWorkflow>(name: W["name"]): W {
  checkName(name);
  return Object.freeze({ name }) as W;
}

/** What the run engine needs of a workflow. */
export interface WorkflowDefinition {
  readonly name: string;
  readonly body: (input: unknown, ctx: Context) => unknown;
  readonly schema: StandardSchemaV1 | undefined;
  readonly stepPolicy: StepPolicy;
}

/** Global, so that the runner of one installed copy runs the workflow of another. */
const definitionKey: unique symbol = Symbol.for("runtara.workflow/1") as never;

/** True for what {@link workflow} returned (of any copy of this package), false for a {@link ref}. */
export function isWorkflow(value: unknown): value is AnyWorkflow {
  return typeof value === "object" && value !== null && definitionKey in value;
}

/** @throws ConfigError for a ref, which has no function to run */
export function definitionOf(workflow: AnyWorkflow): WorkflowDefinition {
  const definition = (workflow as Partial<{ [definitionKey]: WorkflowDefinition }>)[definitionKey];
  if (!definition) {
    throw new ConfigError(
      `${JSON.stringify(workflow.name)} is only the name of a workflow; pass what workflow() returned`,
    );
  }
  return definition;
}

function checkName(name: string): void {
  if (typeof name === "string" && /^[A-Za-z0-9_.-]+$/.test(name) && name.length <= limits.workflowNameCharsMax) return;
  throw new ConfigError(
    `the workflow name ${JSON.stringify(name)} can't be used; a name is 1 to ${limits.workflowNameCharsMax} of A-Z a-z 0-9 _ . -`,
  );
}

function stepPolicyOf(name: string, options: WorkflowOptions): StepPolicy {
  try {
    return policyOf(options.step ?? {}, defaultPolicy, `workflow ${JSON.stringify(name)}`);
  } catch (cause) {
    if (cause instanceof ContextError) throw new ConfigError(cause.message, { cause });
    throw cause;
  }
}
