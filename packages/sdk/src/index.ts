// What a workflow file imports. Loads node:async_hooks and nothing else.

export type { Duration } from "./durations.ts";
export type { ErrorCode } from "./errors.ts";
export {
  CancelledError,
  ConfigError,
  ConnectionError,
  ContextError,
  FatalError,
  FencedError,
  isRuntaraError,
  NonDeterminismError,
  NotFoundError,
  RetryableError,
  RuntaraError,
  StartConflictError,
  StepTimeoutError,
  UnreadableValueError,
  UnstorableValueError,
  ValidationError,
  ValueTooLargeError,
} from "./errors.ts";
export { now, random, scope, sleep, sleepUntil, step, uuid } from "./functions.ts";
export type { Context, StepFn, StepOptions } from "./run/context.ts";
export type { DivergenceReport } from "./run/report.ts";
export type { Retry } from "./run/retry.ts";
export type { Wait } from "./run/sleep.ts";
export type { StepContext } from "./run/step-context.ts";
export type { StandardSchemaV1 } from "./schema.ts";
export { type } from "./schema.ts";
export type { ClassSpec } from "./values/classes.ts";
export { registerClass } from "./values/classes.ts";
export type { CannotStore, Storable } from "./values/storable.ts";
export type { AnyWorkflow, Body, InputOf, OutputOf, Workflow, WorkflowOptions } from "./workflow.ts";
export { ref, workflow } from "./workflow.ts";

/** The classes that {@link registerClass} made storable, for the type check of `step` and `workflow`: one line each.
 *  `declare module "@runtara/sdk" { interface StorableClasses { money: Money } }` */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be merged with
export interface StorableClasses {}
