import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Command, dieWithUs } from "../child.ts";
import { familyCpuSeconds, familyOf } from "../process-stats.ts";
import type { Ready, RoundAnswer, RoundRequest } from "./rounds.ts";

/** A system under test: a program that runs workflows when it is told to, and whatever works for it. */
export interface Contestant extends AsyncDisposable {
  run(request: RoundRequest): Promise<RoundAnswer>;
  /** Seconds of processor time so far, of all its processes. */
  cpuSeconds(): number;
  /** All its processes that live. */
  pids(): readonly number[];
}

/**
 * Starts the program. `helpers` are processes that work for it and are not its own children, such as a core or a database. What `running`
 * holds is stopped behind it.
 */
export async function startContestant(
  { file, args, env = {} }: Command,
  running: AsyncDisposableStack,
  helpers: readonly number[] = [],
): Promise<Contestant> {
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } });
  dieWithUs(child);
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async <Line>(): Promise<Line> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`${[file, ...args].join(" ")} ended with ${(await exited).join(" ")}`);
    return JSON.parse(value) as Line;
  };
  await next<Ready>();
  const pids = child.pid === undefined ? helpers : [child.pid, ...helpers];
  return {
    async run(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return await next<RoundAnswer>();
    },
    pids: () => pids.flatMap(familyOf),
    cpuSeconds: () => pids.reduce((total, pid) => total + familyCpuSeconds(pid), 0),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited;
      await running.disposeAsync();
    },
  };
}
