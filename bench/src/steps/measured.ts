import { median, sum } from "../statistics.ts";
import type { RoundAnswer } from "./rounds.ts";

/** One contestant under one load for some seconds. */
export interface StepsSample {
  readonly stepsPerSecond: number;
  readonly cpuUsPerStep: number;
  readonly workflowMs: readonly number[];
  readonly errors: readonly string[];
}

/** Several samples as one line of a table. */
export interface StepsMeasured {
  readonly contestant: string;
  readonly workflows: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  readonly stepsPerSecondMin: number;
  readonly stepsPerSecondMax: number;
  /** Of whole workflows, from start to result. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUsPerStep: number;
  readonly errors: readonly string[];
}

export function sampleOf(rounds: readonly RoundAnswer[], steps: number, cpuSeconds: number): StepsSample {
  const workflowMs = rounds.flatMap((round) => round.workflowMs);
  const done = workflowMs.length * steps;
  const elapsedMs = sum(rounds.map((round) => round.totalMs));
  return {
    stepsPerSecond: (done / elapsedMs) * 1000,
    cpuUsPerStep: (cpuSeconds / done) * 1e6,
    workflowMs,
    errors: rounds.flatMap((round) => round.errors),
  };
}

export function measuredOf(
  contestant: string,
  { workflows, steps }: { readonly workflows: number; readonly steps: number },
  samples: readonly StepsSample[],
): StepsMeasured {
  const rates = samples.map((sample) => sample.stepsPerSecond);
  const times = samples.flatMap((sample) => sample.workflowMs).toSorted((a, b) => a - b);
  return {
    contestant,
    workflows,
    steps,
    stepsPerSecond: median(rates),
    stepsPerSecondMin: Math.min(...rates),
    stepsPerSecondMax: Math.max(...rates),
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    cpuUsPerStep: median(samples.map((sample) => sample.cpuUsPerStep)),
    errors: samples.flatMap((sample) => sample.errors),
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
