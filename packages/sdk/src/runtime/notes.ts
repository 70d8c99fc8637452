import type { Logger } from "../api/runtime.ts";
import { limits } from "../limits.ts";
import type { EngineEvent } from "../run/control.ts";
import { errorText } from "./reports.ts";

/** A custom event for the instance's history. */
export interface Note {
  readonly subtype: string;
  /** JSON. */
  readonly text: string;
}

/** What of an engine's event belongs into the history of the instance. */
export function noteOf(event: EngineEvent): Note | undefined {
  switch (event.type) {
    case "abandoned":
      return note("abandoned", event.names);
    // Rejected signals and failed compensations are events that the run itself emits, by number: once, whatever crashes.
    default:
      return undefined;
  }
}

/** What of it belongs into the log. */
export function logEvent(
  logger: Logger,
  about: { readonly workflow: string; readonly instanceId: string },
  event: EngineEvent,
): void {
  const line = lineOf(event);
  if (line) logger[line.level]({ ...about, ...line.fields }, line.message);
}

interface Line {
  readonly level: keyof Logger;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly message: string;
}

function lineOf(event: EngineEvent): Line | undefined {
  switch (event.type) {
    case "warning":
      return { level: "warn", message: event.message };
    case "attemptFailed": {
      const { id: step, attempt, nextInMs, error } = event;
      const fields = { step, attempt, nextInMs, error: shortText(error) };
      return { level: "info", fields, message: "an attempt of a step failed; it is tried again" };
    }
    case "signalRejected": {
      const fields = { signal: event.name, error: shortText(event.error) };
      return { level: "warn", fields, message: "a signal did not fit its schema" };
    }
    case "compensationFailed": {
      const fields = { step: event.id, error: shortText(event.error) };
      return { level: "error", fields, message: "a compensation failed for good" };
    }
    case "abandoned":
      return { level: "warn", fields: { steps: event.names }, message: "the workflow ended without waiting for steps" };
    case "diverged":
      return { level: "error", fields: { report: event.report }, message: "code and history of an instance differ" };
    default:
      return undefined;
  }
}

function note(subtype: string, content: unknown): Note {
  return { subtype, text: JSON.stringify(content) };
}

function shortText(error: unknown): string {
  return errorText(error).slice(0, limits.noteTextCharsMax);
}
