import { median, sum } from "./statistics.ts";

/** What `load` reports of one run, and what the server used meanwhile. */
export interface Sample {
  readonly calls: number;
  readonly errors: number;
  /** The first few error texts with their counts. */
  readonly errorTexts: Readonly<Record<string, number>>;
  readonly callsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  /** Processor time of the server per call, warm-up included. */
  readonly serverCpuUs: number;
  /** Processor time of the load generator per call. */
  readonly clientCpuUs: number;
}

/** Several runs as one line: medians, the errors added up, the worst maximum. */
export interface Measured {
  readonly runs: number;
  readonly callsPerSecond: number;
  readonly callsPerSecondMin: number;
  readonly callsPerSecondMax: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  readonly errors: number;
  readonly errorTexts: Readonly<Record<string, number>>;
  readonly serverCpuUs: number;
  readonly clientCpuUs: number;
}

export function summarize(samples: readonly Sample[]): Measured {
  const all = (pick: (sample: Sample) => number): number[] => samples.map(pick);
  const errorTexts: Record<string, number> = {};
  for (const sample of samples) {
    for (const [text, count] of Object.entries(sample.errorTexts)) errorTexts[text] = (errorTexts[text] ?? 0) + count;
  }
  const rates = all((sample) => sample.callsPerSecond);
  return {
    runs: samples.length,
    callsPerSecond: median(rates),
    callsPerSecondMin: Math.min(...rates),
    callsPerSecondMax: Math.max(...rates),
    p50Us: median(all((sample) => sample.p50Us)),
    p99Us: median(all((sample) => sample.p99Us)),
    maxUs: Math.max(...all((sample) => sample.maxUs)),
    errors: sum(all((sample) => sample.errors)),
    errorTexts,
    serverCpuUs: median(all((sample) => sample.serverCpuUs)),
    clientCpuUs: median(all((sample) => sample.clientCpuUs)),
  };
}
