import type { In, Out, Shapes, StandardSchemaV1 } from "./api/schema.ts";
import type { AnyWorkflow, Body, Ended, Workflow, WorkflowDefinition, WorkflowOptions } from "./api/workflow.ts";
import { ConfigError, ContextError } from "./errors.ts";
import { limits } from "./limits.ts";
import { escapeName } from "./run/keys.ts";
import { isEndOfChild } from "./run/operations/child-end.ts";
import { defaultPolicy, policyOf, type StepPolicy } from "./run/retry.ts";
import { isSchema } from "./schema.ts";

export type {
  AnyWorkflow,
  Body,
  ContinueAsNew,
  Ended,
  InputOf,
  OutputOf,
  PublishedOf,
  SignalsOf,
  Workflow,
  WorkflowDefinition,
  WorkflowOptions,
} from "./api/workflow.ts";

/** Defines a workflow. Pure: registers nothing, starts nothing. `name`: 1–100 of `A-Z a-z 0-9 _ . -`.
 *
 *  With `input`, any Standard Schema (zod, valibot, arktype …), a client that holds the workflow validates before anything is sent, and the
 *  runner validates before the first turn; a value that the schema changed is stored, so defaults and transforms are computed once.
 *  An output that can't be stored fails to compile.
 *  @throws ConfigError for a name or options that can't be used */
export function workflow<const N extends string, I, R>(name: N, fn: Body<I, R>): Workflow<N, I, Ended<R>>;
export function workflow<
  const N extends string,
  IS extends StandardSchemaV1,
  R,
  S extends Shapes = Shapes,
  P extends Shapes = Shapes,
>(
  name: N,
  options: WorkflowOptions<S, P> & { input: IS },
  fn: Body<Out<IS>, R, S, P>,
): Workflow<N, In<IS>, Ended<R>, S, P>;
export function workflow<const N extends string, I, R, S extends Shapes = Shapes, P extends Shapes = Shapes>(
  name: N,
  options: WorkflowOptions<S, P>,
  fn: Body<I, R, S, P>,
): Workflow<N, I, Ended<R>, S, P>;
export function workflow(
  name: string,
  optionsOrBody: (WorkflowOptions & { input?: StandardSchemaV1 }) | WorkflowDefinition["body"],
  fn?: WorkflowDefinition["body"],
): AnyWorkflow {
  const [options, body] = typeof optionsOrBody === "function" ? [{}, optionsOrBody] : [optionsOrBody ?? {}, fn];
  checkName(name);
  if (typeof body !== "function") throw misuse(name, "the last argument must be a function");
  const { version, accepts, signals, published, step } = options;
  const definition: WorkflowDefinition = {
    name,
    body,
    version: checkVersion(name, "version", version),
    accepts: checkAccepts(name, version, accepts),
    schema: checkSchema(name, "input", "input" in options ? options.input : undefined),
    signals: checkShapes(name, "signals", signals),
    published: checkShapes(name, "published", published),
    step: Object.freeze({ ...step }),
  };
  asConfigError(() => stepPolicyOf(definition));
  return Object.freeze({
    name,
    ...(version === undefined ? {} : { version }),
    [definitionKey]: Object.freeze(definition),
  });
}

/** A typed name: all that a client or a parent needs. `ref<typeof order>("order")`, with `order` imported as a type, loads no workflow code.
 *  What is started by it is bound to no version. @throws ConfigError for a name that can't be used */
export function ref<W extends AnyWorkflow>(name: W["name"]): W {
  checkName(name);
  return Object.freeze({ name }) as W;
}

/** Global, so that the runner of one installed copy runs the workflow of another. */
const definitionKey: unique symbol = Symbol.for("runtara.workflow/1") as never;

/** True for what {@link workflow} returned (of any copy of this package), false for a {@link ref}. */
export function isWorkflow(value: unknown): value is AnyWorkflow {
  return typeof value === "object" && value !== null && definitionKey in value;
}

/** The definition of what {@link workflow} returned; undefined for a {@link ref}. */
export function knownDefinition(workflow: AnyWorkflow): WorkflowDefinition | undefined {
  return (workflow as Partial<{ [definitionKey]: WorkflowDefinition }>)[definitionKey];
}

/** @throws ConfigError for a ref, which has no function to run */
export function definitionOf(workflow: AnyWorkflow): WorkflowDefinition {
  const definition = knownDefinition(workflow);
  if (definition) return definition;
  throw new ConfigError(
    `${JSON.stringify(workflow.name)} is only the name of a workflow; pass what workflow() returned`,
  );
}

const policies = new WeakMap<WorkflowDefinition, StepPolicy>();

/** The defaults of the workflow's steps, filled in. @throws ContextError naming the setting */
export function stepPolicyOf(definition: WorkflowDefinition): StepPolicy {
  let policy = policies.get(definition);
  if (!policy) {
    policy = policyOf(definition.step, defaultPolicy, `workflow ${JSON.stringify(definition.name)}`);
    policies.set(definition, policy);
  }
  return policy;
}

function checkName(name: string): void {
  if (typeof name === "string" && /^[A-Za-z0-9_.-]+$/.test(name) && name.length <= limits.workflowNameCharsMax) return;
  throw new ConfigError(
    `the workflow name ${JSON.stringify(name)} can't be used; a name is 1 to ${limits.workflowNameCharsMax} of A-Z a-z 0-9 _ . -`,
  );
}

function checkVersion<V extends string | undefined>(name: string, option: string, version: V): V {
  if (version === undefined) return version;
  if (typeof version === "string" && /^[\w.:+-]+$/.test(version) && version.length <= limits.versionCharsMax)
    return version;
  throw misuse(
    name,
    `${option} is ${JSON.stringify(version)}; it must be text of 1 to ${limits.versionCharsMax} of A-Z a-z 0-9 _ . : + -`,
  );
}

function checkAccepts(
  name: string,
  version: string | undefined,
  accepts: readonly string[] = [],
): WorkflowDefinition["accepts"] {
  if (!Array.isArray(accepts)) throw misuse(name, "accepts must be a list of versions");
  if (accepts.length > 0 && version === undefined) {
    throw misuse(name, "accepts is given without version; without a version any code may continue any instance");
  }
  if (accepts.length >= limits.versionsMax) {
    throw misuse(
      name,
      `accepts has ${accepts.length} versions; with its own a workflow serves at most ${limits.versionsMax}`,
    );
  }
  for (const old of accepts as string[]) checkVersion(name, "a member of accepts", old);
  return Object.freeze([...(accepts as string[])]);
}

function checkShapes(name: string, option: "signals" | "published", shapes: Shapes = {}): Shapes {
  if (typeof shapes !== "object" || shapes === null) throw misuse(name, `${option} must be schemas by name`);
  for (const [key, schema] of Object.entries(shapes)) {
    asConfigError(() => escapeName(key, `workflow ${JSON.stringify(name)}: ${option}`));
    if (option === "signals" && isEndOfChild(key)) {
      throw misuse(name, `the signal name ${JSON.stringify(key)} is kept for the ends of children`);
    }
    checkSchema(name, `${option}.${key}`, schema);
  }
  return Object.freeze({ ...shapes });
}

function checkSchema<S>(name: string, option: string, schema: S): S {
  if (schema === undefined || isSchema(schema)) return schema;
  throw misuse(
    name,
    `${option} is no Standard Schema (zod, valibot, arktype, or type<T>() for one that checks nothing)`,
  );
}

function misuse(name: string, what: string): ConfigError {
  return new ConfigError(`workflow ${JSON.stringify(name)}: ${what}`);
}

/** Mistakes in a definition are found where it is made: they are configuration. */
function asConfigError(check: () => unknown): void {
  try {
    check();
  } catch (cause) {
    throw cause instanceof ContextError ? new ConfigError(cause.message, { cause }) : cause;
  }
}
