import { join } from "node:path";
import { runProgram, type Server } from "./child.ts";
import type { Sample } from "./measured.ts";
import { type Plan, stateBytes } from "./plan.ts";
import { cpuSeconds } from "./process-stats.ts";

const nodeLoad = join(import.meta.dirname, "node", "load.ts");

/**
 * `poll`: PollSignals. `checkpoint`: new checkpoints, each caller's last one read back at the end. `found`: checkpoints that exist.
 * `register`: new instances.
 */
export type Mode = "poll" | "checkpoint" | "found" | "register";

/**
 * Who makes the load: the Rust program on the original's client, or a Node process with our client on QUIC or HTTP/2, or
 * with gRPC's. Each keeps its calls in flight on one connection and prints the same report.
 */
export type Generator = "original" | "quic" | "http2" | "grpc";

/** The same program and settings for every server that is compared, unless clients are compared, too. */
export interface Load {
  readonly mode: Mode;
  readonly inFlight: number;
  /** Bytes of a state. Default 256. */
  readonly stateBytes?: number;
  /** For servers that keep nothing: the checkpoints are not read back. */
  readonly isForgotten?: true;
  /** Default: the original's client. */
  readonly generator?: Generator;
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
  const hasStates = load.mode === "checkpoint" || load.mode === "found";
  const states = hasStates ? ["--state-bytes", `${load.stateBytes ?? stateBytes}`] : [];
  const forgotten = load.isForgotten ? ["--read-back", "false"] : [];
  const common = ["--addr", server.address, "--in-flight", `${load.inFlight}`, ...states, ...forgotten];
  return JSON.parse(await print(binFolder, load, [...common, ...extra])) as Report;
}

function print(binFolder: string, { mode, generator = "original" }: Load, args: readonly string[]): Promise<string> {
  if (generator === "original") return runProgram(join(binFolder, "load"), [mode, ...args]);
  return runProgram(process.execPath, [nodeLoad, generator, ...args]);
}
