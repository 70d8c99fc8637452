import { CancelledError, InstanceFailedError } from "../../errors.ts";

const suffix = "!result";

/** How the end of a child reaches its parent: the name of the signal, and the id of its entry. */
export function endNameOf(checkpointId: string): string {
  return checkpointId + suffix;
}

/** True for a name that only the end of a child has. Names of users may not end like it. */
export function isEndOfChild(name: string): boolean {
  return name.endsWith(suffix);
}

/** The payload of such a signal, opened: `output` of a completed child, `error` (a text) and `failure` (its error) of a failed one. */
export interface ChildReport {
  readonly status: string;
  readonly output?: unknown;
  readonly error?: string | undefined;
  readonly failure?: unknown;
}

/** What `child.result()` comes to. */
export function endOfChild(report: ChildReport, child: string): { outcome: "value" | "error"; value: unknown } {
  if (report.status === "completed") return { outcome: "value", value: report.output };
  if (report.status === "cancelled") {
    return { outcome: "error", value: new CancelledError(`the child instance ${child} was cancelled`) };
  }
  return { outcome: "error", value: failureOf(report, child) };
}

function failureOf({ error, failure }: ChildReport, child: string): InstanceFailedError {
  // Only a time-out comes without a word: it is core's doing.
  if (error === undefined && failure === undefined) {
    const message = `the child instance ${child} failed: it took longer than its timeout`;
    return new InstanceFailedError(message, { instanceId: child, reason: "timeout" });
  }
  // Peers without structured errors report a text.
  const cause = failure === undefined || failure instanceof Uint8Array ? new Error(error) : failure;
  const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : (error ?? String(cause));
  const message = `the child instance ${child} failed: ${why}`;
  return new InstanceFailedError(message, { instanceId: child, reason: "reported", cause });
}
