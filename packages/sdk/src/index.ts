// What a workflow file imports. Loads node:async_hooks and nothing else.

export type {
  AnyHandle,
  Args,
  Change,
  Child,
  Client,
  Handle,
  InstanceState,
  InstanceSummary,
  ListFilter,
  Schedule,
  Schedules,
  SpawnOptions,
  StartOptions,
  Status,
} from "./api/client.ts";
export type { AnySignal, Context, Log } from "./api/context.ts";
export type { Entry } from "./api/history.ts";
export type { Logger, Runtime, RuntimeOptions } from "./api/runtime.ts";
export type { In, Out, Shapes, StandardSchemaV1 } from "./api/schema.ts";
export type {
  PgClientLike,
  PgClientOf,
  PgPoolLike,
  Retry,
  SqliteLike,
  StepContext,
  StepFn,
  StepOptions,
  Wait,
} from "./api/step.ts";
export type { Duration } from "./durations.ts";
export type { ErrorCode, FailureReason } from "./errors.ts";
export {
  CancelledError,
  CompensationError,
  ConfigError,
  ConnectionError,
  ContextError,
  FatalError,
  FencedError,
  InstanceFailedError,
  isRuntaraError,
  NonDeterminismError,
  NotFoundError,
  RetryableError,
  RuntaraError,
  StartConflictError,
  StepTimeoutError,
  UnreadableValueError,
  UnstorableValueError,
  UnsupportedError,
  ValidationError,
  ValueTooLargeError,
  WaitTimeoutError,
} from "./errors.ts";
export {
  compensate,
  continueAsNew,
  emit,
  log,
  now,
  onCancel,
  patched,
  publish,
  random,
  scope,
  sendSignal,
  sleep,
  sleepUntil,
  spawn,
  step,
  uuid,
  waitFor,
  waitForAny,
} from "./functions.ts";
export type { DivergenceReport } from "./run/report.ts";
export { type } from "./schema.ts";
export { transaction } from "./transaction.ts";
export type { ClassSpec } from "./values/classes.ts";
export { registerClass } from "./values/classes.ts";
export type { Codec, CodecContext } from "./values/codec-port.ts";
export type { CannotStore, Storable } from "./values/storable.ts";
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
  WorkflowOptions,
} from "./workflow.ts";
export { ref, workflow } from "./workflow.ts";

/** The classes that {@link registerClass} made storable, for the type check of `step` and `workflow`: one line each.
 *  `declare module "@runtara/sdk" { interface StorableClasses { money: Money } }` */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be merged with
export interface StorableClasses {}
