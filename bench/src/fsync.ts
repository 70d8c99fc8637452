import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

export function straceInstalled(): boolean {
  return spawnSync("strace", ["--version"], { stdio: "ignore" }).status === 0;
}

/** Calls of fsync and fdatasync by processes while `work` runs. The tracer slows it down: take no times from such a run. */
export async function countFsyncs(pids: readonly number[], work: () => Promise<unknown>): Promise<number> {
  const args = ["-f", "-c", "-e", "trace=fsync,fdatasync", ...pids.flatMap((pid) => ["-p", `${pid}`])];
  const tracer = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  tracer.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    tracer.emit("said");
  });
  await attached(tracer, () => text);
  await work();
  const closed = once(tracer, "close");
  tracer.kill("SIGINT");
  await closed;
  return countIn(text);
}

async function attached(tracer: ChildProcess, said: () => string): Promise<void> {
  const ended = once(tracer, "exit").then(() => Promise.reject(new Error(`strace could not attach: ${said().trim()}`)));
  while (!/attached/.test(said())) await Promise.race([once(tracer, "said"), ended]);
  ended.catch(() => undefined);
}

/** The column `calls` of strace's summary, added up over both calls. */
export function countIn(summary: string): number {
  let total = 0;
  for (const line of summary.split("\n")) {
    const match = line.match(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(?:fsync|fdatasync)$/);
    if (match !== null) total += Number(match[1]);
  }
  return total;
}
