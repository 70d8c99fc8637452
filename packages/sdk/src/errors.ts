import type { Duration } from "./durations.ts";
import type { DivergenceReport } from "./run/report.ts";

/** What a {@link RuntaraError} says about itself, a closed set. */
export type ErrorCode =
  | "FATAL"
  | "RETRYABLE"
  | "STEP_TIMEOUT"
  | "UNSTORABLE_VALUE"
  | "VALUE_TOO_LARGE"
  | "UNREADABLE_VALUE"
  | "VALIDATION"
  | "CANCELLED"
  | "NON_DETERMINISM"
  | "FENCED"
  | "CONTEXT"
  | "CONFIG"
  | "CONNECTION"
  | "NOT_FOUND"
  | "START_CONFLICT"
  | "COMPENSATION"
  | "UNSUPPORTED"
  | "INSTANCE_FAILED"
  | "WAIT_TIMEOUT";

/** On every error of this package, so that those of a second installed copy are recognised. */
const brand = Symbol.for("runtara.error/1");

const retryableCodes: ReadonlySet<ErrorCode> = new Set(["RETRYABLE", "STEP_TIMEOUT", "CONNECTION", "WAIT_TIMEOUT"]);

/** The base of every error of this package. `cause` is kept. */
export class RuntaraError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
  /** True when trying the same again may succeed. */
  get retryable(): boolean {
    return retryableCodes.has(this.code);
  }
}

Object.defineProperty(RuntaraError.prototype, brand, { value: true });

/** True for errors of this package, those of a second installed copy included; with `code`, only that one. */
export function isRuntaraError(error: unknown, code?: ErrorCode): error is RuntaraError {
  if (typeof error !== "object" || error === null || !(brand in error)) return false;
  return code === undefined || (error as unknown as RuntaraError).code === code;
}

/** Thrown by you in a step: no further attempt. Stored, and thrown again in the workflow. */
export class FatalError extends RuntaraError {
  constructor(message: string, options?: ErrorOptions) {
    super("FATAL", message, options);
  }
}

/** Thrown by you in a step: try again, no sooner than `after` (a duration). `attempts` still bounds it. */
export class RetryableError extends RuntaraError {
  readonly after?: Duration;
  constructor(message: string, options?: ErrorOptions & { after?: Duration }) {
    super("RETRYABLE", message, options);
    if (options?.after !== undefined) this.after = options.after;
  }
}

/** An attempt took longer than the step's `timeout`. Retried like any other failure. */
export class StepTimeoutError extends RuntaraError {
  constructor(message: string, options?: ErrorOptions) {
    super("STEP_TIMEOUT", message, options);
  }
}

/** A result, input or output that can't be kept; the message names step, path and class. Never retried. */
export class UnstorableValueError extends RuntaraError {
  /** Where in the value, such as `result.items[3].socket`. */
  readonly path: string;
  constructor(message: string, path: string, options?: ErrorOptions) {
    super("UNSTORABLE_VALUE", message, options);
    this.path = path;
  }
}

/** A result, input or output over the size limit. Never retried. */
export class ValueTooLargeError extends RuntaraError {
  constructor(message: string, options?: ErrorOptions) {
    super("VALUE_TOO_LARGE", message, options);
  }
}

/** Stored text that this code can't turn into a value: an unknown tag, an unregistered class, broken JSON. */
export class UnreadableValueError extends RuntaraError {
  constructor(message: string, options?: ErrorOptions) {
    super("UNREADABLE_VALUE", message, options);
  }
}

/** The input does not fit the workflow's schema. `issues` come from the schema library, with their paths. */
export class ValidationError extends RuntaraError {
  readonly issues: readonly { readonly message: string; readonly path: string }[];
  constructor(message: string, issues: readonly { readonly message: string; readonly path: string }[]) {
    super("VALIDATION", message);
    this.issues = issues;
  }
}

/** The instance was cancelled, or a `Wait` was disarmed. Catch it to finish your way, or let it out. */
export class CancelledError extends RuntaraError {
  constructor(message: string, options?: ErrorOptions) {
    super("CANCELLED", message, options);
  }
}

/** The code and the stored history differ. Workflow code can't catch it; the instance is suspended and can be resumed. */
export class NonDeterminismError extends RuntaraError {
  readonly report: DivergenceReport;
  constructor(message: string, report: DivergenceReport, options?: ErrorOptions) {
    super("NON_DETERMINISM", message, options);
    this.report = report;
  }
}

/** Another process owns the instance. Workflow code can't catch it; this run stops and writes nothing more. */
export class FencedError extends RuntaraError {
  constructor(message: string, options?: ErrorOptions) {
    super("FENCED", message, options);
  }
}

/** Misuse: a durable call outside a workflow or inside a step, a bad name or duration, a call after the end, a signal to an instance that has
 *  ended. */
export class ContextError extends RuntaraError {
  constructor(message: string, options?: ErrorOptions) {
    super("CONTEXT", message, options);
  }
}

/** A setting or a file that can't be used. */
export class ConfigError extends RuntaraError {
  constructor(message: string, options?: ErrorOptions) {
    super("CONFIG", message, options);
  }
}

/** The core could not be reached in time. */
export class ConnectionError extends RuntaraError {
  constructor(message: string, options?: ErrorOptions) {
    super("CONNECTION", message, options);
  }
}

/** There is no such instance. */
export class NotFoundError extends RuntaraError {
  constructor(message: string, options?: ErrorOptions) {
    super("NOT_FOUND", message, options);
  }
}

/** The id belongs to an instance of another workflow, or with another input. The message names what differs. */
export class StartConflictError extends RuntaraError {
  constructor(message: string, options?: ErrorOptions) {
    super("START_CONFLICT", message, options);
  }
}

/** Compensations of a workflow failed for good. `cause`: why it had failed or was cancelled; `errors`: what they threw, in the order in
 *  which they ran. The others have run. */
export class CompensationError extends RuntaraError {
  declare readonly errors: readonly unknown[];
  constructor(message: string, errors: readonly unknown[], options?: ErrorOptions) {
    super("COMPENSATION", message, options);
    // As AggregateError has it: not among the members that are listed.
    Object.defineProperty(this, "errors", { value: [...errors], configurable: true, writable: true });
  }
}

/** The server, or the protocol it speaks, lacks what the call needs. */
export class UnsupportedError extends RuntaraError {
  /** As the protocol names it, such as `children`. */
  readonly feature: string;
  constructor(message: string, feature: string, options?: ErrorOptions) {
    super("UNSUPPORTED", message, options);
    this.feature = feature;
  }
}

/** Why an instance failed: its workflow's own error, the time-out it was started with, or its process ended without a word. */
export type FailureReason = "reported" | "timeout" | "exited";

/** The awaited instance failed. `cause`: the workflow's own error, in its stored form. */
export class InstanceFailedError extends RuntaraError {
  readonly instanceId: string;
  readonly reason: FailureReason;
  constructor(
    message: string,
    { instanceId, reason, ...options }: ErrorOptions & { instanceId: string; reason: FailureReason },
  ) {
    super("INSTANCE_FAILED", message, options);
    this.instanceId = instanceId;
    this.reason = reason;
  }
}

/** The time given to `handle.result({ timeout })` is up. The instance goes on; asking again may succeed. */
export class WaitTimeoutError extends RuntaraError {
  constructor(message: string, options?: ErrorOptions) {
    super("WAIT_TIMEOUT", message, options);
  }
}

/** The classes by name: the value codec brings them back as themselves. */
export const errorClasses: ReadonlyMap<string, { readonly prototype: RuntaraError; readonly code: ErrorCode }> =
  new Map(
    (
      [
        [FatalError, "FATAL"],
        [RetryableError, "RETRYABLE"],
        [StepTimeoutError, "STEP_TIMEOUT"],
        [UnstorableValueError, "UNSTORABLE_VALUE"],
        [ValueTooLargeError, "VALUE_TOO_LARGE"],
        [UnreadableValueError, "UNREADABLE_VALUE"],
        [ValidationError, "VALIDATION"],
        [CancelledError, "CANCELLED"],
        [NonDeterminismError, "NON_DETERMINISM"],
        [FencedError, "FENCED"],
        [ContextError, "CONTEXT"],
        [ConfigError, "CONFIG"],
        [ConnectionError, "CONNECTION"],
        [NotFoundError, "NOT_FOUND"],
        [StartConflictError, "START_CONFLICT"],
        [CompensationError, "COMPENSATION"],
        [UnsupportedError, "UNSUPPORTED"],
        [InstanceFailedError, "INSTANCE_FAILED"],
        [WaitTimeoutError, "WAIT_TIMEOUT"],
      ] as const
    ).map(([errorClass, code]) => [errorClass.name, { prototype: errorClass.prototype, code }]),
  );

// The name sits on the prototype, as with the built-in classes, so it is no member of each error.
for (const [name, { prototype }] of errorClasses) {
  Object.defineProperty(prototype, "name", { value: name, configurable: true, writable: true });
}
