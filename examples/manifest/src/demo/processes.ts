// The two processes that get killed: a core, and the workflow run against it. Both are the `runtara` command, as a user would start it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../../../../packages/cli/bin/runtara.js", import.meta.url));
const workflowFile = fileURLToPath(new URL("../workflow.ts", import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Started {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What it printed so far, for reports of failures. */
  readonly stderr: () => string;
  kill(): void;
}

export interface Core extends Started {
  /** Where it listens, such as 127.0.0.1:40123. */
  readonly address: string;
}

export interface WorkflowRun extends Started {
  /** Everything on stdout once it ended: one line of JSON. */
  readonly stdout: () => string;
}

/** Starts a core and waits for its ready line. `port` 0 takes a free one. */
export async function startCore(database: string, port: number): Promise<Core> {
  const child = spawn(process.execPath, [command, "core"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      RUNTARA_DATABASE_URL: `sqlite:${database}`,
      // Its certificate, too, stays out of the folder that is hashed.
      DATA_DIR: dirname(database),
      RUNTARA_QUIC_PORT: String(port),
      RUNTARA_BIND_HOST: "127.0.0.1",
    },
  });
  const started = watch(child);
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const match = /^ready core (\S+)$/.exec(line);
      if (match?.[1]) resolve(match[1]);
    });
    void started.ended.then(({ code, signal }) =>
      reject(new Error(`the core ended (${signal ?? code}) before it was ready:\n${started.stderr()}`)),
    );
  });
  return { ...started, address };
}

/** Runs, or resumes, the instance `id` of the workflow as a process. `onEvent` gets its progress events. */
export function startWorkflow(
  server: string,
  id: string,
  input: unknown,
  onEvent: (event: Record<string, unknown>) => void,
): WorkflowRun {
  const child = spawn(
    process.execPath,
    [command, "run", workflowFile, "--input", JSON.stringify(input), "--instance", id, "--json", "--progress", "json"],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, RUNTARA_SERVER_ADDR: server } },
  );
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  const started = watch(child, (line) => {
    const event = parseEvent(line);
    if (event) onEvent(event);
  });
  return { ...started, stdout: () => stdout };
}

function watch(child: ChildProcess, onLine?: (line: string) => void): Started {
  const { stderr, pid } = child;
  if (!stderr || pid === undefined) throw new Error(`could not start ${process.execPath}`);
  const tail: string[] = [];
  createInterface({ input: stderr }).on("line", (line) => {
    tail.push(line);
    if (tail.length > 40) tail.shift();
    onLine?.(line);
  });
  // Nothing of the demonstration outlives it, Ctrl-C included.
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  child.once("close", () => process.off("exit", end));
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal }) as Ended);
  return { pid, ended, stderr: () => tail.join("\n"), kill: () => void child.kill("SIGKILL") };
}

function parseEvent(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
