import type { InstanceStatus } from "@runtara/store";

/** What went wrong, as a closed set. */
export type CoreErrorCode =
  | "INSTANCE_NOT_FOUND"
  | "INVALID_INSTANCE_STATE"
  | "CHECKPOINT_NOT_FOUND"
  | "CHECKPOINT_SAVE_FAILED"
  | "VALIDATION_ERROR"
  | "DATABASE_ERROR";

/** A refused or failed call. Programs of other makers read these texts (spec 2.2), so they stay word for word. */
export class CoreError extends Error {
  override readonly name = "CoreError";
  readonly code: CoreErrorCode;

  constructor(code: CoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
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

  static checkpointSaveFailed(instanceId: string, cause: Error): CoreError {
    const message = `Failed to save checkpoint for instance '${instanceId}': ${cause.message}`;
    return new CoreError("CHECKPOINT_SAVE_FAILED", message, { cause });
  }

  static validation(field: string, message: string): CoreError {
    return new CoreError("VALIDATION_ERROR", `Validation error for '${field}': ${message}`);
  }

  static database(cause: Error): CoreError {
    return new CoreError("DATABASE_ERROR", `Database error during 'query': ${cause.message}`, { cause });
  }
}
