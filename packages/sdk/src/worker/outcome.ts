import type { FencedError, NonDeterminismError } from "../errors.ts";
import type { End } from "../ports/operator.ts";
import type { EngineEvent } from "../run/control.ts";
import type { CodecContext, Wrapper } from "../values/codec-port.ts";
import type { StatusAnswer } from "../wire/calls.ts";
import type { LinkEvent } from "./link.ts";

/** How an instance ended, or this process's part in it. `earlier`: it had ended before, nothing ran. */
export type Outcome = { readonly instanceId: string; readonly earlier: boolean } & (
  | { readonly status: "completed"; readonly output: unknown }
  | { readonly status: "failed"; readonly error: Error }
  | { readonly status: "cancelled" }
  | { readonly status: "suspended"; readonly reason: "diverged"; readonly error: NonDeterminismError }
  | { readonly status: "suspended"; readonly reason: "paused" }
  /** Put away until the time comes or something happens to it; images only. `checkpointId`: saved last, as far as is known. */
  | {
      readonly status: "suspended";
      readonly reason: "sleeping";
      /** Undefined: until a signal comes. */
      readonly wakeAfterMs: number | undefined;
      readonly checkpointId: string | undefined;
    }
  /** Another process runs this instance. */
  | { readonly status: "fenced"; readonly error: FencedError }
  /** By `options.signal`. */
  | { readonly status: "stopped" }
);

/** What {@link runInstance} tells while it goes. */
export type RunEvent =
  /** `resumed`: an earlier process has stored entries. */
  | { type: "registered"; instanceId: string; resumed: boolean }
  | { type: "signal"; signal: "cancel" | "pause" }
  | LinkEvent
  | Exclude<EngineEvent, { type: "began" }>;

/** The outcome of an instance that has ended. Undefined: it has not. @throws UnreadableValueError for its output */
export async function endedOutcome(
  { status, output, error, failure }: Pick<End, "output" | "error" | "failure"> & { status: End["status"] | "unknown" },
  at: Omit<CodecContext, "id">,
  wrapper: Wrapper,
  earlier: boolean,
): Promise<Outcome | undefined> {
  const head = { instanceId: at.instanceId, earlier };
  switch (status) {
    case "completed":
      return { ...head, status, output: await wrapper.unwrap(output, { ...at, id: "!output" }) };
    case "failed": {
      const stored = failure === null ? undefined : await wrapper.unwrap(failure, { ...at, id: "!failure" });
      return { ...head, status, error: stored instanceof Error ? stored : errorOf(error ?? "Unknown error") };
    }
    case "cancelled":
      return { ...head, status };
    default:
      return undefined;
  }
}

/** The same of what the base protocol tells. */
export function endOf({ status, output, error }: StatusAnswer): Parameters<typeof endedOutcome>[0] {
  return { status, output: output ?? null, error: error ?? null, failure: null };
}

/** The base protocol has only text: `Name: message`. */
function errorOf(text: string): Error {
  const match = /^([A-Za-z_$][\w$.]*): (.*)$/s.exec(text);
  const error = new Error(match?.[2] ?? text);
  if (match?.[1]) error.name = match[1];
  delete error.stack;
  return error;
}
