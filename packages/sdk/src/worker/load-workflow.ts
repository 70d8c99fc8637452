import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ConfigError } from "../errors.ts";
import { type AnyWorkflow, isWorkflow } from "../workflow.ts";

/** Imports a module and picks its workflow: the one called `name`, else the default export, else the only one it exports.
 *  `file`: a path (from the working directory) or a file: URL.
 *  @throws ConfigError, in one line, for a file that is missing, can't be loaded, has no workflow, or several */
export async function loadWorkflow(file: string | URL, name?: string): Promise<AnyWorkflow> {
  const { path, workflows, exported } = await load(file);
  const names = workflows.map((workflow) => workflow.name).join(", ");
  if (name !== undefined) {
    const named = workflows.find((workflow) => workflow.name === name);
    if (named) return named;
    throw new ConfigError(`${path} exports no workflow named ${JSON.stringify(name)}; it has: ${names}`);
  }
  if (isWorkflow(exported.default)) return exported.default;
  const [only, another] = workflows;
  if (only && !another) return only;
  throw new ConfigError(
    `${path} exports several workflows (${names}) and none as default: choose one with --workflow NAME`,
  );
}

/** All workflows that modules export, each once, for a worker.
 *  @throws ConfigError, in one line, for a file that is missing, can't be loaded, or has no workflow */
export async function loadWorkflows(files: readonly (string | URL)[]): Promise<AnyWorkflow[]> {
  const found = new Set<AnyWorkflow>();
  for (const file of files) for (const workflow of (await load(file)).workflows) found.add(workflow);
  return [...found];
}

interface Loaded {
  readonly path: string;
  readonly exported: Record<string, unknown>;
  /** At least one. */
  readonly workflows: readonly AnyWorkflow[];
}

async function load(file: string | URL): Promise<Loaded> {
  const url = toUrl(file);
  const path = fileURLToPath(url);
  if (!existsSync(path)) throw new ConfigError(`${path} does not exist`);
  let exported: Record<string, unknown>;
  try {
    exported = (await import(url.href)) as Record<string, unknown>;
  } catch (cause) {
    throw new ConfigError(`${path} can't be loaded: ${oneLine(cause)}`, { cause });
  }
  const workflows = [...new Set(Object.values(exported).filter(isWorkflow))];
  if (workflows.length > 0) return { path, exported, workflows };
  throw new ConfigError(`${path} exports no workflow; it needs: export const … = workflow("name", async (input) => …)`);
}

function toUrl(file: string | URL): URL {
  if (file instanceof URL) return file;
  return file.startsWith("file:") ? new URL(file) : pathToFileURL(resolve(file));
}

function oneLine(cause: unknown): string {
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return text.replaceAll(/\s*\n\s*/g, " ");
}
