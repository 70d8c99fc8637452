import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { isRuntaraError } from "@runtara/sdk";
import { decode, encode } from "@runtara/sdk/codec";
import { loadWorkflow, type Outcome, type RunInstanceOptions, runInstance, settingsFromEnv } from "@runtara/sdk/worker";
import { loadDotEnv } from "@runtara/server-kit";
import { exitCode, fail, oneLine } from "../fail.ts";
import { logPrinter, type ProgressKind, progressPrinter } from "../progress.ts";

export interface RunOptions {
  readonly input?: string;
  readonly instance?: string;
  readonly workflow?: string;
  readonly server?: string;
  readonly tenant?: string;
  readonly json?: boolean;
  readonly progress: ProgressKind;
}

/** `runtara run`: one instance as this process. Ctrl-C stops after the calls in flight; the same command with --instance goes on. */
export async function run(file: string, options: RunOptions): Promise<void> {
  const abort = new AbortController();
  const stop = () => {
    // A second Ctrl-C ends at once: what was acknowledged is safe either way.
    if (abort.signal.aborted) process.exit(130);
    abort.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  try {
    loadDotEnv();
    const workflow = await loadWorkflow(file, options.workflow);
    const outcome = await runInstance(workflow, instanceOptions(options, abort.signal));
    report(outcome, options);
  } catch (error) {
    fail(error, codeOf(error));
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

function instanceOptions(options: RunOptions, signal: AbortSignal): RunInstanceOptions {
  const fromEnv = settingsFromEnv(process.env);
  const instanceId = options.instance ?? fromEnv.instanceId ?? randomUUID();
  return {
    ...fromEnv,
    ...(options.server !== undefined && { server: options.server }),
    ...(options.tenant !== undefined && { tenantId: options.tenant }),
    ...(options.input !== undefined && { input: parseInput(options.input) }),
    instanceId,
    signal,
    logger: logPrinter(options.progress),
    onEvent: progressPrinter(options.progress, instanceId),
  };
}

/** JSON, or `@FILE` that holds JSON. @throws Error that names the option */
function parseInput(text: string): unknown {
  const source = text.startsWith("@") ? readFileSync(text.slice(1), "utf8") : text;
  try {
    return decode(source);
  } catch (cause) {
    throw new Error(
      `--input is not JSON (${oneLine((cause as Error).message)}). Quote it for the shell, as in --input '{"total": 20}', or name a file: --input @order.json`,
      { cause },
    );
  }
}

function report(outcome: Outcome, options: RunOptions): void {
  const { instanceId, status } = outcome;
  if (options.json) {
    const error = "error" in outcome ? { error: { name: outcome.error.name, message: outcome.error.message } } : {};
    const output = outcome.status === "completed" && outcome.output !== undefined ? { output: outcome.output } : {};
    process.stdout.write(`${encode({ instanceId, status, earlier: outcome.earlier, ...output, ...error })}\n`);
  } else if (outcome.status === "completed" && outcome.output !== undefined) {
    process.stdout.write(`${encode(outcome.output)}\n`);
  }
  const note = noteOf(outcome);
  if (note !== undefined && !(options.json && outcome.status === "failed"))
    fail(note.text, note.code, outcome.status === "suspended");
  else if (note !== undefined) process.exitCode = note.code;
}

/** What is said on stderr of an end that is not plain success, and the exit code. */
function noteOf(outcome: Outcome): { text: string; code: number } | undefined {
  const { instanceId } = outcome;
  switch (outcome.status) {
    case "completed":
      return undefined;
    case "failed":
      return {
        text: `instance ${instanceId} failed: ${outcome.error.name}: ${outcome.error.message}`,
        code: exitCode.failed,
      };
    case "cancelled":
      return { text: `instance ${instanceId} was cancelled`, code: 0 };
    case "stopped":
      return { text: `stopped; go on with --instance ${instanceId}`, code: exitCode.interrupted };
    case "suspended":
      return {
        text:
          outcome.reason === "diverged"
            ? outcome.error.message
            : `instance ${instanceId} is suspended (${outcome.reason}); go on with --instance ${instanceId}`,
        code: exitCode.failed,
      };
    case "fenced":
      return {
        text: `instance ${instanceId} is run by another process now: ${outcome.error.message}`,
        code: exitCode.failed,
      };
  }
}

function codeOf(error: unknown): number {
  if (isRuntaraError(error, "CONNECTION")) return exitCode.unavailable;
  if (isRuntaraError(error, "CONFIG")) return exitCode.configuration;
  return exitCode.failed;
}
