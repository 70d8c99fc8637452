import type { FencedError, NonDeterminismError } from "../errors.ts";
import type { EngineEvent } from "../run/events.ts";
import { readValue } from "../values/index.ts";
import type { StatusAnswer } from "../wire/calls.ts";
import type { LinkEvent } from "./link.ts";

/** How an instance ended, or this process's part in it. `earlier`: it had ended before, nothing ran. */
export type Outcome = { readonly instanceId: string; readonly earlier: boolean } & (
  | { readonly status: "completed"; readonly output: unknown }
  | { readonly status: "failed"; readonly error: Error }
  | { readonly status: "cancelled" }
  | { readonly status: "suspended"; readonly reason: "diverged"; readonly error: NonDeterminismError }
  | { readonly status: "suspended"; readonly reason: "paused" }
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
  | EngineEvent;

/** The outcome of an instance that has ended before. Undefined: it has not. @throws UnreadableValueError for its output */
export function earlierOutcome(instanceId: string, answer: StatusAnswer): Outcome | undefined {
  const head = { instanceId, earlier: true };
  switch (answer.status) {
    case "completed":
      return { ...head, status: "completed", output: readOutput(answer.output) };
    case "failed":
      return { ...head, status: "failed", error: errorOf(answer.error ?? "Unknown error") };
    case "cancelled":
      return { ...head, status: "cancelled" };
    default:
      return undefined;
  }
}

function readOutput(output: Uint8Array | undefined): unknown {
  return output === undefined || output.length === 0 ? undefined : readValue(new TextDecoder().decode(output));
}

/** The wire has only text: `Name: message`. */
export function errorText(error: unknown, charsMax: number): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.slice(0, charsMax);
}

function errorOf(text: string): Error {
  const match = /^([A-Za-z_$][\w$.]*): (.*)$/s.exec(text);
  const error = new Error(match?.[2] ?? text);
  if (match?.[1]) error.name = match[1];
  delete error.stack;
  return error;
}
