/**
 * The causes an RpcError can name in `fine_code`. Its outer `code` stays the operation's (`CHECKPOINT_ERROR`), because
 * that is what 1.4.1 sends and reads. The list only grows; a client keeps codes that it does not know.
 *
 * Capacity and life of the server:
 * - `OVERLOADED`: it has as much work as it takes; the call was not begun. Retryable.
 * - `DRAINING`: it is shutting down; the call was not begun. Retryable, elsewhere or after its restart.
 * - `DEADLINE_EXCEEDED`: the work took longer than the server allows; whether it was done is open. Retryable if the call
 *   is idempotent.
 * - `DATABASE_ERROR`, `CHECKPOINT_SAVE_FAILED`: the store failed; nothing was changed. Retryable.
 * - `INTERNAL`: a fault of the server.
 *
 * The request:
 * - `UNSUPPORTED`: the server does not serve this call or field; see the features of its registration answer.
 * - `VALIDATION_ERROR`: a value is missing, malformed or out of range; the message names it.
 * - `VALUE_TOO_LARGE`: a state, input, output or payload is over the server's limit.
 * - `UNAUTHENTICATED`: no token or certificate where one is needed, or one that is not valid.
 * - `PERMISSION_DENIED`: what is named belongs to another tenant, or the caller may not do this.
 *
 * The instance:
 * - `INSTANCE_NOT_FOUND`, `CHECKPOINT_NOT_FOUND`: there is no such instance or checkpoint.
 * - `INVALID_INSTANCE_STATE`: the status of the instance does not allow it, for example because it has ended.
 * - `START_CONFLICT`: the instance id is taken by another workflow or another input.
 *
 * Ownership:
 * - `FENCED`: a later registration has taken the instance over; this process must stop and write nothing more.
 * - `LEASE_LOST`: the lease has ended or was given to another worker.
 */
export const fineCodes = [
  "OVERLOADED",
  "DRAINING",
  "DEADLINE_EXCEEDED",
  "DATABASE_ERROR",
  "CHECKPOINT_SAVE_FAILED",
  "INTERNAL",
  "UNSUPPORTED",
  "VALIDATION_ERROR",
  "VALUE_TOO_LARGE",
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "INSTANCE_NOT_FOUND",
  "CHECKPOINT_NOT_FOUND",
  "INVALID_INSTANCE_STATE",
  "START_CONFLICT",
  "FENCED",
  "LEASE_LOST",
] as const;

/** One of `fineCodes`. */
export type FineCode = (typeof fineCodes)[number];

const known: ReadonlySet<string> = new Set(fineCodes);

/** Whether this version knows the code; a newer server may send others. */
export function isFineCode(code: string | undefined): code is FineCode {
  return code !== undefined && known.has(code);
}
