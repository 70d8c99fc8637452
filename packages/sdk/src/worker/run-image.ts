import { renameSync, writeFileSync } from "node:fs";
import type { RuntimeOptions } from "../api/runtime.ts";
import { ConfigError, isRuntaraError } from "../errors.ts";
import { limits } from "../limits.ts";
import { consoleLogger } from "../runtime/console-logger.ts";
import { errorText } from "../runtime/reports.ts";
import { settingMs } from "../runtime/settings.ts";
import { readValue, storeValue } from "../values/index.ts";
import { type AnyWorkflow, definitionOf } from "../workflow.ts";
import { type Environment, file, settingsFromEnv, text } from "./environment.ts";
import type { Outcome } from "./outcome.ts";
import { type ImageSettings, runAs } from "./run-instance.ts";
import type { RunInstanceOptions } from "./settings.ts";

/** Exit codes beside 0 and 1, from sysexits.h. */
const exitCodes = { unreachable: 75, configuration: 78, terminated: 143 } as const;

/** What {@link runImage} takes. */
export interface ImageOptions
  extends RuntimeOptions,
    Partial<Omit<RunInstanceOptions, "tenantId" | "codecs" | "logger">> {}

/** Runs the workflow as the process of one instance, told by the environment, and ends the process: 0 completed, cancelled, suspended or
 *  fenced; 1 failed; 78 configuration; 75 no core within the connect time-out. Waits longer than `suspendAfter` (default "5s") suspend the
 *  instance and end the process; it is started again when the time has come. `options` win over the environment. SIGTERM and SIGINT stop it
 *  where it is; the instance can be resumed. */
export async function runImage(workflow: AnyWorkflow, options: ImageOptions = {}): Promise<never> {
  const stop = new AbortController();
  const handled = options.handleSignals === false ? [] : (["SIGTERM", "SIGINT"] as const);
  for (const name of handled) process.once(name, () => stop.abort());
  process.exit(await runFromEnvironment(workflow, process.env, { signal: stop.signal, ...options }));
}

/** The same without ending the process. @returns the exit code */
export async function runFromEnvironment(
  workflow: AnyWorkflow,
  env: Environment,
  options: ImageOptions,
): Promise<number> {
  try {
    const outcome = await runAs(imageSettings(env, options), definitionOf(workflow), optionsFor(env, options));
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

function imageSettings(env: Environment, { suspendAfter, ...options }: ImageOptions): ImageSettings {
  return {
    suspendAfterMs: settingMs("suspendAfter", suspendAfter, limits.suspendAfterMsDefault),
    // A launcher gives a resumed process an input that is not the one of its start.
    isInputForNewOnly: !("input" in options),
    isWoken: text(env, "RUNTARA_OUTPUT_PATH") !== undefined,
  };
}

function optionsFor(env: Environment, options: ImageOptions): RunInstanceOptions {
  const { concurrency, logger = consoleLogger } = options;
  const settings = { ...settingsFromEnv(env), ...options, logger };
  if (concurrency?.steps !== undefined) settings.concurrentSteps = concurrency.steps;
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
  const members = outputOf(outcome).map(([name, json]) => `${JSON.stringify(name)}:${json}`);
  // Renamed into place, so that a reader never sees half of it.
  writeFileSync(`${path}.tmp`, `{${members.join()}}`);
  renameSync(`${path}.tmp`, path);
}

/** Its members, as JSON. */
function outputOf(outcome: Outcome): (readonly [name: string, json: string])[] {
  const status = (word: string): readonly [string, string] => ["status", JSON.stringify(word)];
  if (outcome.status === "completed" && outcome.output !== undefined) {
    const origin = { root: "output", describe: () => "the workflow returned" };
    return [status("completed"), ["result", storeValue(outcome.output, origin)]];
  }
  if (outcome.status === "failed") return [status("failed"), ["error", JSON.stringify(errorText(outcome.error))]];
  if (outcome.status !== "suspended" || outcome.reason !== "sleeping") return [status(outcome.status)];
  const { wakeAfterMs, checkpointId } = outcome;
  if (wakeAfterMs === undefined || checkpointId === undefined) return [status("suspended")];
  return [status("sleeping"), ["checkpoint_id", JSON.stringify(checkpointId)], ["wake_after_ms", String(wakeAfterMs)]];
}
