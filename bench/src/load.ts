import { join } from "node:path";
import { runProgram, type Server } from "./child.ts";
import type { Sample } from "./measured.ts";
import { type Plan, stateBytes } from "./plan.ts";
import { cpuSeconds } from "./process-stats.ts";

export type Mode = "poll" | "checkpoint";

/** The load generator on the original's client: the same program, connection and settings for every server. */
export interface Load {
  readonly mode: Mode;
  readonly inFlight: number;
}

interface Report {
  readonly calls: number;
  readonly allCalls: number;
  readonly errors: number;
  readonly errorTexts: Record<string, number>;
  readonly callsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  readonly cpuSeconds: number;
}

/** One timed run against a server. */
export async function measure(binFolder: string, server: Server, load: Load, plan: Plan): Promise<Sample> {
  const time = ["--seconds", `${plan.seconds}`, "--warmup", `${plan.warmupSeconds}`];
  const before = cpuSeconds(server.pid);
  const report = await run(binFolder, server, load, time);
  const serverSeconds = cpuSeconds(server.pid) - before;
  const { calls, errors, errorTexts, callsPerSecond, p50Us, p99Us, maxUs } = report;
  return {
    calls,
    errors,
    errorTexts,
    callsPerSecond,
    p50Us,
    p99Us,
    maxUs,
    serverCpuUs: (serverSeconds * 1e6) / Math.max(1, report.allCalls),
    clientCpuUs: (report.cpuSeconds * 1e6) / Math.max(1, calls),
  };
}

/** So many calls, as fast as they go. */
export async function runCount(binFolder: string, server: Server, load: Load, count: number): Promise<Report> {
  return await run(binFolder, server, load, ["--count", `${count}`]);
}

async function run(binFolder: string, server: Server, load: Load, extra: readonly string[]): Promise<Report> {
  const common = ["--addr", server.address, "--in-flight", `${load.inFlight}`, "--state-bytes", `${stateBytes}`];
  const printed = await runProgram(join(binFolder, "load"), [load.mode, ...common, ...extra]);
  return JSON.parse(printed) as Report;
}
