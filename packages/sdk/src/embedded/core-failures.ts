import { CoreError, type CoreErrorCode } from "@runtara/core";
import { StoreError } from "@runtara/store";
import { limits } from "../limits.ts";
import { SourceError, type SourceErrorCode } from "../ports/source-error.ts";

const codes: Readonly<Record<CoreErrorCode, SourceErrorCode>> = {
  FENCED: "FENCED",
  INVALID_INSTANCE_STATE: "ENDED",
  INSTANCE_NOT_FOUND: "UNKNOWN",
  CHECKPOINT_NOT_FOUND: "UNKNOWN",
  START_CONFLICT: "CONFLICT",
  VALIDATION_ERROR: "REFUSED",
  VALUE_TOO_LARGE: "REFUSED",
  PERMISSION_DENIED: "REFUSED",
  CHECKPOINT_SAVE_FAILED: "AWAY",
  DATABASE_ERROR: "AWAY",
  OVERLOADED: "AWAY",
};

/** What core failed with, in the words of the ports. */
export function sourceError(failure: unknown): SourceError {
  if (failure instanceof SourceError) return failure;
  if (!(failure instanceof CoreError)) return new SourceError("AWAY", messageOf(failure), { cause: failure });
  const { cause, message, differs } = failure;
  const isClosed = cause instanceof StoreError && cause.code === "CLOSED";
  const retryAfterMs = failure.code === "OVERLOADED" ? { retryAfterMs: limits.overloadedDelayMs } : {};
  return new SourceError(isClosed ? "CLOSED" : codes[failure.code], message, {
    cause: failure,
    differs,
    ...retryAfterMs,
  });
}

function messageOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

/** Whoever asks a closed runtime. */
export function closedError(): SourceError {
  return new SourceError("CLOSED", "the runtime has been closed: open another");
}
