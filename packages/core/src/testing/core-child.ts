import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(import.meta.resolve("./core-process.ts"));

/** A core in a process of its own that accepts connections. */
export interface CoreChild {
  readonly child: ChildProcess;
  readonly address: string;
}

/** Resolves once it listens. `database` is a URL or the path of an SQLite file. `env` is added to this process's. */
export async function startCoreChild(
  database: string,
  bindAddr?: string,
  env: Readonly<Record<string, string>> = {},
): Promise<CoreChild> {
  const args = ["--conditions=runtara-src", program, database, ...(bindAddr === undefined ? [] : [bindAddr])];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  let output = "";
  for await (const chunk of child.stdout) {
    output += String(chunk);
    const address = /^ready core (\S+)\n/.exec(output)?.[1];
    if (address !== undefined) return { child, address };
  }
  throw new Error(`the core ended before it was ready: ${output}`);
}

/** Ends it without a warning. */
export async function kill({ child }: CoreChild): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
