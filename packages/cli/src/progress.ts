// What `runtara run` tells on stderr while it works.
import type { Logger, RunEvent } from "@runtara/sdk/worker";
import { oneLine } from "./fail.ts";

export type ProgressKind = "text" | "json" | "none";

/** Saved steps are summed up at most this often. */
const summaryEveryMs = 1000;

export function progressPrinter(kind: ProgressKind, instanceId: string): (event: RunEvent) => void {
  if (kind === "none") return () => {};
  if (kind === "json") return (event) => void process.stderr.write(`${JSON.stringify(jsonEvent(event))}\n`);
  let saved = 0;
  let lastSummary = performance.now();
  return (event) => {
    if (event.type === "saved") saved += 1;
    const now = performance.now();
    const text = event.type === "saved" ? undefined : textOf(event, instanceId);
    if (text !== undefined) process.stderr.write(`${text}\n`);
    else if (now - lastSummary >= summaryEveryMs) {
      process.stderr.write(`${saved} steps saved\n`);
      lastSummary = now;
    }
  };
}

/** Where the workflow's own `log` goes. The runtime's lines are left out: progress tells the same. */
export function logPrinter(kind: ProgressKind): Logger {
  const print = (level: keyof Logger) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    const { run, workflow: _workflow, instanceId: _instanceId, ...rest } = fields;
    if (run === undefined || kind === "none") return;
    const line =
      kind === "json"
        ? JSON.stringify({ type: "log", level, message, ...rest })
        : `log ${level}: ${oneLine(message)}${Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : ""}`;
    process.stderr.write(`${line}\n`);
  };
  return { debug: print("debug"), info: print("info"), warn: print("warn"), error: print("error") };
}

function jsonEvent(event: RunEvent): Record<string, unknown> {
  const plain: Record<string, unknown> = { ...event };
  for (const [key, value] of Object.entries(plain)) if (value instanceof Error) plain[key] = oneLine(value.message);
  return plain;
}

function textOf(event: Exclude<RunEvent, { type: "saved" }>, instanceId: string): string | undefined {
  switch (event.type) {
    case "registered":
      return event.resumed ? `instance ${instanceId}: resuming` : `instance ${instanceId}: started`;
    case "live":
      return event.replayed > 0
        ? `${event.replayed} stored results replayed in ${Math.round(event.tookMs)} ms`
        : undefined;
    case "attemptFailed":
      return `step ${event.name}, attempt ${event.attempt} failed: ${oneLine(messageOf(event.error))}; again in ${Math.round(event.nextInMs)} ms`;
    case "reconnecting":
      return `core not reachable (${oneLine(event.error.message)}); trying again in ${Math.round(event.delayMs)} ms`;
    case "reconnected":
      return `core is back after ${Math.round(event.afterMs)} ms`;
    case "signal":
      return `signal: ${event.signal}`;
    case "warning":
      return `warning: ${oneLine(event.message)}`;
    case "signalRejected":
      return `warning: a signal ${event.name} did not fit its schema: ${oneLine(event.error.message)}`;
    case "compensationFailed":
      return `warning: compensation ${event.id} failed for good: ${oneLine(messageOf(event.error))}`;
    case "abandoned":
      return `warning: the workflow ended while these still ran (a missing await?): ${event.names.join(", ")}`;
    case "diverged":
      return undefined;
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
