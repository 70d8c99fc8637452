import type { Server } from "./child.ts";
import { type Generator, type Load, measure } from "./load.ts";
import { type Measured, type Sample, summarize } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { ratio } from "./statistics.ts";

/** Two servers under one load. */
export interface Comparison {
  readonly benchmark: string;
  readonly load: Load;
  readonly left: { readonly name: string; readonly measured: Measured };
  readonly right: { readonly name: string; readonly measured: Measured };
  /** Calls per second of left over right. */
  readonly ratio: number | undefined;
}

export interface Contestant {
  readonly name: string;
  /** One that serves all rounds, or how to start one for each round, which is stopped after it. */
  readonly server: Server | (() => Promise<Server>);
  /** Its own client, where clients are compared. */
  readonly generator?: Generator;
}

/**
 * Measures both in turns, the order changing each round, so that whatever else the machine does meets both alike. Only one is
 * under load at a time; the other waits.
 */
export async function compare(
  benchmark: string,
  binFolder: string,
  load: Load,
  plan: Plan,
  contestants: readonly [Contestant, Contestant],
  progress: (text: string) => void,
): Promise<Comparison> {
  const [left, right] = contestants;
  const samples: Record<string, Sample[]> = { [left.name]: [], [right.name]: [] };
  for (let round = 0; round < plan.rounds; round++) {
    const order = round % 2 === 0 ? [left, right] : [right, left];
    for (const { name, server, generator = "original" } of order) {
      const sample = await measureOne(binFolder, server, { ...load, generator }, plan);
      samples[name]?.push(sample);
      const rate = Math.round(sample.callsPerSecond).toLocaleString("en-US");
      progress(`${benchmark}, ${load.inFlight} in flight, round ${round + 1}/${plan.rounds}, ${name}: ${rate}/s`);
    }
  }
  const result = (name: string) => ({ name, measured: summarize(samples[name] ?? []) });
  const [ours, theirs] = [result(left.name), result(right.name)];
  const rates = ratio(ours.measured.callsPerSecond, theirs.measured.callsPerSecond);
  return { benchmark, load, left: ours, right: theirs, ratio: rates };
}

async function measureOne(binFolder: string, server: Contestant["server"], load: Load, plan: Plan): Promise<Sample> {
  if (typeof server !== "function") return await measure(binFolder, server, load, plan);
  await using own = await server();
  return await measure(binFolder, own, load, plan);
}
