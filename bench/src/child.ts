import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const readyDeadlineMs = 60_000;

/** A server in a process of its own. */
export interface Server extends AsyncDisposable {
  readonly address: string;
  readonly pid: number;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));

/** Starts a server and waits for the line `ready … ADDR`. Servers don't outlive this process. */
export async function startServer({ file, args, env = {} }: Command): Promise<Server> {
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } });
  dieWithUs(child);
  const failed = once(child, "error").then(([error]) => Promise.reject(error as Error));
  const giveUp = setTimeout(() => child.kill("SIGKILL"), readyDeadlineMs);
  const line = await Promise.race([firstLine(child), failed]).finally(() => clearTimeout(giveUp));
  const address = line.match(/^ready (?:\S+ )?(\S+:\d+)$/)?.[1];
  if (address === undefined || child.pid === undefined) {
    await stop(child);
    throw new Error(`${[file, ...args].join(" ")} did not become ready: ${line || "it ended without a word"}`);
  }
  return { address, pid: child.pid, [Symbol.asyncDispose]: () => stop(child) };
}

/** Whatever ends this process ends that one, too. */
export function dieWithUs(child: ChildProcess): void {
  running.add(child);
  child.once("exit", () => running.delete(child));
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) return "";
  for await (const line of createInterface({ input: child.stdout })) return line;
  return "";
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}

/** Runs a program to its end and returns what it printed; its stderr is ours. */
export async function runProgram(file: string, args: readonly string[]): Promise<string> {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  dieWithUs(child);
  const exited = once(child, "exit");
  let printed = "";
  for await (const chunk of child.stdout) printed += chunk;
  const [code] = await exited;
  if (code !== 0) throw new Error(`${[file, ...args].join(" ")} exited with ${code}`);
  return printed;
}
