import type { Server } from "./child.ts";
import { type Generator, type Load, measure } from "./load.ts";
import { type Measured, type Sample, summarize } from "./measured.ts";
import type { Ground } from "./peers.ts";
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

export type Contestants = readonly [Contestant, Contestant];

/** One load, and the benchmark it counts for. */
export interface Course {
  readonly benchmark: string;
  readonly load: Load;
}

/** One course for each number of calls in flight. */
export function courses(benchmark: string, load: Omit<Load, "inFlight">, inFlightLevels: readonly number[]): Course[] {
  return inFlightLevels.map((inFlight) => ({ benchmark, load: { ...load, inFlight } }));
}

/** What every comparison is made with. */
export interface Setting {
  readonly ground: Ground;
  readonly plan: Plan;
  readonly progress: (text: string) => void;
}

/**
 * Compares two servers on each course in turn. `start` is asked for them before each one; what it hands to `running` is stopped after it, so
 * servers that are started there have a course for themselves.
 */
export async function compareOn(
  courses: readonly Course[],
  setting: Setting,
  start: (running: AsyncDisposableStack) => Promise<Contestants>,
): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const course of courses) {
    await using running = new AsyncDisposableStack();
    comparisons.push(await compare(course, setting, await start(running)));
  }
  return comparisons;
}

/**
 * Measures both in turns, the order changing each round, so that whatever else the machine does meets both alike. Only one is
 * under load at a time; the other waits.
 */
async function compare(
  { benchmark, load }: Course,
  { ground, plan, progress }: Setting,
  [left, right]: Contestants,
): Promise<Comparison> {
  const samples: Record<string, Sample[]> = { [left.name]: [], [right.name]: [] };
  for (let round = 0; round < plan.rounds; round++) {
    const order = round % 2 === 0 ? [left, right] : [right, left];
    for (const { name, server, generator = "original" } of order) {
      const sample = await measureOne(ground.binFolder, server, { ...load, generator }, plan);
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
