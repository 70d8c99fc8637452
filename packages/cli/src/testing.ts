// The command as a user starts it, for the tests.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const bin: string = join(import.meta.dirname, "../bin/runtara.js");
export const workflows: string = join(import.meta.dirname, "../testdata/workflows.ts");

export interface Running {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves once stdout or stderr holds the text; rejects if the process ends first. */
  until(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

interface Scope {
  after(fn: () => void | Promise<void>): void;
}

export function start(t: Scope, args: readonly string[], env: Record<string, string> = {}, cwd?: string): Running {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("RUNTARA_")));
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    // Never the checkout's own data folder, nor a port that others want.
    env: { ...clean, DATA_DIR: join(temporaryFolder(t), "data"), RUNTARA_ADMIN_PORT: "0", ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const text = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
      for (const look of waiting) look();
    });
  }
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal }) as Awaited<Running["ended"]>);
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return {
    pid: child.pid ?? -1,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!text.stdout.includes(wanted) && !text.stderr.includes(wanted)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
        void ended.then(() => reject(new Error(`ended without "${wanted}":\n${text.stdout}${text.stderr}`)));
      }),
    kill: (signal) => void child.kill(signal),
    ended,
  };
}

/** Runs the command to its end. */
export async function runtara(
  t: Scope,
  args: readonly string[],
  env?: Record<string, string>,
  cwd?: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const running = start(t, args, env, cwd);
  const { code } = await running.ended;
  return { code, stdout: running.stdout(), stderr: running.stderr() };
}

export function temporaryFolder(t: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), "runtara-cli-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function database(folder: string): string[] {
  return ["--database-url", `sqlite:${join(folder, "core.db")}`];
}

/** A core on a free port with a database of its own. */
export async function startCore(
  t: Scope,
  folder: string = temporaryFolder(t),
  more: readonly string[] = [],
): Promise<Running & { readonly address: string }> {
  const core = start(t, ["core", "--port", "0", ...database(folder), ...more]);
  await core.until("\n");
  await core.until("ready core ");
  const address = /^ready core (\S+)$/m.exec(core.stdout())?.[1] ?? "";
  return { ...core, address };
}
