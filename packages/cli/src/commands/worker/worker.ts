import { isRuntaraError } from "@runtara/sdk";
import { loadWorkflows, type ServeOptions, serve } from "@runtara/sdk/worker";
import { createLogger, loadDotEnv, onShutdownSignal, readLogSettings, surviveFaults } from "@runtara/server-kit";
import { exitCode, fail } from "../../fail.ts";

export interface WorkerOptions {
  readonly server?: string;
  readonly tenant?: string;
  readonly workflow?: readonly string[];
  readonly instances?: string;
  readonly steps?: string;
  readonly drain?: string;
}

/** `runtara worker`: resolves once the core has answered; the process then lives until a signal. */
export async function worker(files: readonly string[], options: WorkerOptions): Promise<void> {
  try {
    loadDotEnv();
    const logger = createLogger({ name: "worker", ...readLogSettings(process.env) });
    const workflows = chosen(await loadWorkflows(files), options.workflow);
    const runtime = await serve(workflows, { ...serveOptions(options), logger });
    surviveFaults(logger);
    // First the handlers, then the word: who reads it may send a signal at once.
    onShutdownSignal(() => runtime.close(), { logger });
    process.stdout.write(`ready worker ${workflows.map(({ name }) => name).join(",")}\n`);
  } catch (error) {
    fail(error, codeOf(error));
  }
}

type Loaded = Awaited<ReturnType<typeof loadWorkflows>>;

function chosen(workflows: Loaded, names: readonly string[] | undefined): Loaded {
  if (names === undefined) return workflows;
  const missing = names.find((name) => workflows.every((workflow) => workflow.name !== name));
  if (missing === undefined) return workflows.filter(({ name }) => names.includes(name));
  const there = workflows.map(({ name }) => name).join(", ");
  throw new Error(`no file exports a workflow named ${JSON.stringify(missing)}; there are: ${there}`);
}

function serveOptions({ server, tenant, instances, steps, drain }: WorkerOptions): ServeOptions {
  const concurrency = {
    ...(instances === undefined ? {} : { instances: count("--instances", instances) }),
    ...(steps === undefined ? {} : { steps: count("--steps", steps) }),
  };
  return {
    ...(server === undefined ? {} : { server }),
    ...(tenant === undefined ? {} : { tenantId: tenant }),
    // As a duration, checked where it is used.
    ...(drain === undefined ? {} : { drain: drain as NonNullable<ServeOptions["drain"]> }),
    concurrency,
    handleSignals: false,
  };
}

function count(option: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new Error(`${option} is ${text}; it must be a whole number from 1 on`);
}

function codeOf(error: unknown): number {
  if (isRuntaraError(error, "CONNECTION")) return exitCode.unavailable;
  if (isRuntaraError(error, "CONFIG") || isRuntaraError(error, "UNSUPPORTED")) return exitCode.configuration;
  return exitCode.failed;
}
