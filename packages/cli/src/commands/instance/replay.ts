import { readFileSync } from "node:fs";
import { type AnyWorkflow, ConfigError } from "@runtara/sdk";
import { replayHistory, workflowOfHistory } from "@runtara/sdk/testing";
import { loadWorkflows } from "@runtara/sdk/worker";
import { exitCode, fail } from "../../fail.ts";
import { failAs } from "./fail-as.ts";

/** `runtara replay FILE --workflow FILE`: does the code still fit the history? No body runs. */
export async function replay(file: string, options: { readonly workflow: string }): Promise<void> {
  try {
    const text = read(file);
    const workflow = choose(await loadWorkflows([options.workflow]), workflowOfHistory(text), options.workflow);
    const verdict = await replayHistory(workflow, text);
    if (verdict.ok) process.stdout.write(`the code fits; entries delivered: ${verdict.entries}\n`);
    else fail(verdict.error, exitCode.failed, true);
  } catch (error) {
    failAs(error);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError(`${file} can't be read: ${(cause as Error).message}`, { cause });
  }
}

/** Of several with the history's name the one with its version. */
function choose(
  workflows: readonly AnyWorkflow[],
  { name, version }: { readonly name: string; readonly version: string | undefined },
  file: string,
): AnyWorkflow {
  const named = workflows.filter((workflow) => workflow.name === name);
  const [first] = named;
  if (first !== undefined) return named.find((workflow) => workflow.version === version) ?? first;
  const names = workflows.map((workflow) => workflow.name).join(", ");
  throw new ConfigError(`the history is of workflow ${JSON.stringify(name)}; ${file} exports ${names}`);
}
