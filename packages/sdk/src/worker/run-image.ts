import { renameSync, writeFileSync } from "node:fs";
import { ConfigError, isRuntaraError } from "../errors.ts";
import { limits } from "../limits.ts";
import { readValue, storeValue } from "../values/index.ts";
import type { AnyWorkflow } from "../workflow.ts";
import { type Environment, file, settingsFromEnv, text } from "./environment.ts";
import { errorText, type Outcome } from "./outcome.ts";
import { runInstance } from "./run-instance.ts";
import type { RunInstanceOptions } from "./settings.ts";

/** Exit codes beside 0 and 1, from sysexits.h. */
const exitCodes = { unreachable: 75, configuration: 78, terminated: 143 } as const;

/** Runs the workflow as the process of one instance, told by the environment, and ends the process: 0 completed, cancelled, suspended or
 *  fenced; 1 failed; 78 configuration; 75 no core within the connect time-out. `options` win over the environment. SIGTERM and SIGINT stop
 *  it where it is; the instance can be resumed. */
export async function runImage(workflow: AnyWorkflow, options: Partial<RunInstanceOptions> = {}): Promise<never> {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop.abort());
  process.exit(await runFromEnvironment(workflow, process.env, { signal: stop.signal, ...options }));
}

/** The same without ending the process. @returns the exit code */
export async function runFromEnvironment(
  workflow: AnyWorkflow,
  env: Environment,
  options: Partial<RunInstanceOptions>,
): Promise<number> {
  try {
    const outcome = await runInstance(workflow, optionsFor(env, options));
    writeOutput(text(env, "RUNTARA_OUTPUT_PATH"), outcome);
    if (outcome.status === "failed") console.error(outcome.error);
    if (outcome.status === "suspended" && outcome.reason === "diverged") console.error(String(outcome.error));
    if (outcome.status === "stopped") return exitCodes.terminated;
    return outcome.status === "failed" ? 1 : 0;
  } catch (error) {
    console.error(String(error));
    if (isRuntaraError(error, "CONNECTION")) return exitCodes.unreachable;
    return isRuntaraError(error, "CONFIG") ? exitCodes.configuration : 1;
  }
}

function optionsFor(env: Environment, options: Partial<RunInstanceOptions>): RunInstanceOptions {
  const settings = { ...settingsFromEnv(env), ...options };
  const { instanceId } = settings;
  if (instanceId === undefined)
    throw new ConfigError("RUNTARA_INSTANCE_ID is not set; the launcher of an image sets it");
  const input = file(env, "RUNTARA_INPUT_PATH");
  if (input === undefined || "input" in options) return { ...settings, instanceId };
  try {
    return { ...settings, instanceId, input: input.trim() === "" ? undefined : readValue(input) };
  } catch (cause) {
    throw new ConfigError(`RUNTARA_INPUT_PATH=${env.RUNTARA_INPUT_PATH} can't be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** The file that environments of 1.4.1 look at. A process that lost its instance to another has nothing to say. */
function writeOutput(path: string | undefined, outcome: Outcome): void {
  if (path === undefined || outcome.status === "fenced" || outcome.status === "stopped") return;
  const members = [`"status":${JSON.stringify(outcome.status)}`];
  if (outcome.status === "completed" && outcome.output !== undefined) {
    const origin = { root: "output", describe: () => "the workflow returned" };
    members.push(`"result":${storeValue(outcome.output, origin)}`);
  }
  if (outcome.status === "failed")
    members.push(`"error":${JSON.stringify(errorText(outcome.error, limits.errorTextCharsMax))}`);
  // Renamed into place, so that a reader never sees half of it.
  writeFileSync(`${path}.tmp`, `{${members.join()}}`);
  renameSync(`${path}.tmp`, path);
}
