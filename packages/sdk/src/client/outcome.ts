import { CancelledError, type FailureReason, InstanceFailedError } from "../errors.ts";
import type { End } from "../ports/operator.ts";
import type { Wrapper } from "../values/codec-port.ts";

/** What a finished instance gives: its output, or the error that says how it ended. Undefined: it goes on.
 *  @throws UnreadableValueError */
export async function outcomeOf(
  end: End,
  instance: { readonly tenantId: string; readonly instanceId: string },
  wrapper: Wrapper,
): Promise<{ readonly value: unknown } | { readonly error: Error } | undefined> {
  const { instanceId } = instance;
  switch (end.status) {
    case "completed":
      return { value: await wrapper.unwrap(end.output, { ...instance, id: "!output" }) };
    case "failed": {
      const cause = await causeOf(end, () => wrapper.unwrap(end.failure, { ...instance, id: "!failure" }));
      const reason = failureReason(end.reason);
      const why = reason === "timeout" ? "it took longer than its timeout" : textOf(cause, end);
      return { error: new InstanceFailedError(`instance ${instanceId} failed: ${why}`, { instanceId, reason, cause }) };
    }
    case "cancelled": {
      const words = end.reasonText ? `: ${end.reasonText}` : "";
      const verb = end.reason === "killed" ? "killed" : "cancelled";
      return { error: new CancelledError(`instance ${instanceId} was ${verb}${words}`) };
    }
    default:
      return undefined;
  }
}

/** The workflow's own error: from its stored structure, else an Error with the text that peers without one report. */
async function causeOf(end: End, failure: () => unknown): Promise<unknown> {
  const stored = end.failure === null ? undefined : await failure();
  if (stored !== undefined && !(stored instanceof Uint8Array)) return stored;
  return end.error === null ? undefined : new Error(end.error);
}

function textOf(cause: unknown, end: End): string {
  if (cause instanceof Error) return `${cause.name}: ${cause.message}`;
  return end.error ?? String(cause);
}

function failureReason(reason: string | null): FailureReason {
  return reason === "timeout" || reason === "exited" ? reason : "reported";
}
