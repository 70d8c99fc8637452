import { type FeatureName, isProtocolError, type ProtocolError } from "@runtara/protocol";
import { isRuntaraError } from "../../errors.ts";
import { SourceError, type SourceErrorCode } from "../../ports/source-error.ts";
import { isTransient } from "../../wire/transience.ts";
import { LinkClosed } from "../link.ts";

const codes: Readonly<Record<string, SourceErrorCode>> = {
  FENCED: "FENCED",
  LEASE_LOST: "FENCED",
  INVALID_INSTANCE_STATE: "ENDED",
  INSTANCE_NOT_FOUND: "UNKNOWN",
  CHECKPOINT_NOT_FOUND: "UNKNOWN",
  START_CONFLICT: "CONFLICT",
  VALIDATION_ERROR: "REFUSED",
  VALUE_TOO_LARGE: "REFUSED",
  UNAUTHENTICATED: "REFUSED",
  PERMISSION_DENIED: "REFUSED",
  UNSUPPORTED: "UNSUPPORTED",
};

/** What a call of the wire failed with, in the words of the ports. `feature`: what the call belongs to. */
export function sourceError(failure: unknown, feature?: FeatureName): SourceError {
  if (failure instanceof SourceError) return failure;
  if (failure instanceof LinkClosed) return new SourceError("CLOSED", "the connection to the core has been closed");
  // The core answers again, and does not let us in: its certificate or ours has changed.
  if (isRuntaraError(failure)) return new SourceError("AWAY", failure.message, { cause: failure });
  if (!isProtocolError(failure)) throw failure;
  const code = codeOf(failure);
  const message = code === "UNSUPPORTED" && feature ? unsupportedText(feature) : failure.message;
  return new SourceError(code, message, {
    cause: failure,
    ...(code === "UNSUPPORTED" && feature ? { feature } : {}),
    ...(code === "CONFLICT" ? { differs: differsIn(failure.message) } : {}),
    ...(failure.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
  });
}

function codeOf(error: ProtocolError): SourceErrorCode {
  if (error.code === "UNSUPPORTED" || error.rpcCode === "EMPTY_REQUEST") return "UNSUPPORTED";
  if (error.code !== "RPC") return isTransient(error) ? "AWAY" : "REFUSED";
  const known = error.fineCode === undefined ? undefined : codes[error.fineCode];
  if (known) return known;
  // Trouble of the server or its store, or a cause that this version does not know.
  return error.isRetryable === false && error.fineCode !== "INTERNAL" ? "REFUSED" : "AWAY";
}

export function unsupportedText(feature: FeatureName): string {
  return `the core does not serve the feature "${feature}": it is older than this SDK, or a server of the base protocol; use one that does (npx runtara core)`;
}

/** What a conflicting start differs in, out of the core's text. */
function differsIn(text: string): string[] {
  return /exists with another (.+)$/.exec(text)?.[1]?.split(", ") ?? [];
}
