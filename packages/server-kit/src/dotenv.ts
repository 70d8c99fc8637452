import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { ConfigError } from "./config-error.ts";

/** `process.env`, or a plain object in its place. */
export type MutableEnvironment = Record<string, string | undefined>;

/**
 * Reads the nearest `.env` of `directory` or one of its parents into `env`. Variables that are already set stay as they are.
 * Returns the path of the file, or undefined where there is none. Throws `ConfigError` for a file that exists but cannot be read.
 */
export function loadDotEnv(
  directory: string = process.cwd(),
  env: MutableEnvironment = process.env,
): string | undefined {
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    const path = join(folder, ".env");
    const text = readIfFile(path);
    if (text !== undefined) {
      for (const [variable, value] of Object.entries(parseEnv(text))) env[variable] ??= value;
      return path;
    }
    if (dirname(folder) === folder) return undefined;
  }
}

function readIfFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    // A directory of that name is a virtual environment of some other tool, not settings.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw new ConfigError(
      "INVALID",
      ".env",
      `cannot read ${path}: ${code ?? String(cause)}; make it readable or move it away`,
      {
        cause,
      },
    );
  }
}
