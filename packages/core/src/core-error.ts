import type { InstanceStatus, StoreError } from "@runtara/store";

/** What went wrong, as a closed set; each is a fine code of the wire. */
export type CoreErrorCode =
  | "INSTANCE_NOT_FOUND"
  | "INVALID_INSTANCE_STATE"
  | "CHECKPOINT_NOT_FOUND"
  | "CHECKPOINT_SAVE_FAILED"
  | "VALIDATION_ERROR"
  | "VALUE_TOO_LARGE"
  | "DATABASE_ERROR"
  | "OVERLOADED"
  | "PERMISSION_DENIED"
  | "START_CONFLICT"
  | "FENCED";

/** Whether the same call may succeed later: always safe to try; only if the call may be carried out twice; never. */
export type Repeatable = "always" | "ifIdempotent" | "never";

export interface CoreErrorOptions extends ErrorOptions {
  /** Default "never". */
  readonly repeatable?: Repeatable;
  readonly differs?: readonly string[];
}

/** A refused or failed call. Programs of other makers read these texts (spec 2.2), so they stay word for word. */
export class CoreError extends Error {
  override readonly name = "CoreError";
  readonly code: CoreErrorCode;
  readonly repeatable: Repeatable;
  /** START_CONFLICT: what the existing instance has otherwise; else empty. */
  readonly differs: readonly string[];

  constructor(code: CoreErrorCode, message: string, options: CoreErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.repeatable = options.repeatable ?? "never";
    this.differs = options.differs ?? [];
  }

  static instanceNotFound(instanceId: string): CoreError {
    return new CoreError("INSTANCE_NOT_FOUND", `Instance '${instanceId}' not found`);
  }

  static invalidState(instanceId: string, expected: string, actual: InstanceStatus): CoreError {
    const message = `Instance '${instanceId}' is in invalid state: expected '${expected}', got '${actual}'`;
    return new CoreError("INVALID_INSTANCE_STATE", message);
  }

  static checkpointNotFound(checkpointId: string): CoreError {
    return new CoreError("CHECKPOINT_NOT_FOUND", `Checkpoint '${checkpointId}' not found`);
  }

  /** A later registration, an end or an operator has taken the instance from the process that says `given`. */
  static fenced(instanceId: string, present: number, given: number | undefined): CoreError {
    const epochs = `epoch ${present}, not ${given ?? "none"}`;
    return new CoreError(
      "FENCED",
      `Instance '${instanceId}' does not belong to this process any more (${epochs}); stop writing`,
    );
  }

  static otherTenant(instanceId: string): CoreError {
    return new CoreError("PERMISSION_DENIED", `Instance '${instanceId}' belongs to another tenant`);
  }

  static startConflict(instanceId: string, differs: readonly string[]): CoreError {
    return new CoreError("START_CONFLICT", `Instance '${instanceId}' exists with another ${differs.join(", ")}`, {
      differs,
    });
  }

  static validation(field: string, message: string): CoreError {
    return new CoreError("VALIDATION_ERROR", `Validation error for '${field}': ${message}`);
  }

  static tooLarge(field: string, bytes: number, bytesMax: number): CoreError {
    const message = `${field} has ${bytes} bytes; at most ${bytesMax} are allowed`;
    return new CoreError("VALUE_TOO_LARGE", `Validation error for '${field}': ${message}`);
  }

  static checkpointSaveFailed(instanceId: string, cause: StoreError): CoreError {
    const message = `Failed to save checkpoint for instance '${instanceId}': ${cause.message}`;
    return storeFailure("CHECKPOINT_SAVE_FAILED", message, cause);
  }

  static database(cause: StoreError): CoreError {
    return storeFailure("DATABASE_ERROR", `Database error during 'query': ${cause.message}`, cause);
  }
}

/** Failures of a store have changed nothing, but for one kind of which that is not known. */
function storeFailure(code: CoreErrorCode, message: string, cause: StoreError): CoreError {
  switch (cause.code) {
    case "VALUE_TOO_LONG":
      return new CoreError("VALIDATION_ERROR", message, { cause });
    case "OVERLOADED":
      return new CoreError("OVERLOADED", message, { cause, repeatable: "always" });
    case "UNKNOWN_OUTCOME":
      return new CoreError(code, message, { cause, repeatable: "ifIdempotent" });
    default:
      return new CoreError(code, message, { cause, repeatable: "always" });
  }
}
