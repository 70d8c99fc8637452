import { startEcho } from "../peers.ts";
import { type Comparison, compare } from "../side-by-side.ts";
import type { Benchmark } from "./benchmark.ts";

const inFlightLevels = [1, 64, 256];

/** The transport alone: the smallest handler on each side. */
export const echo: Benchmark = {
  name: "echo",
  about: "PollSignals answered with a CANCEL signal, no store: our QuicServer and the original's",
  async run(ground, plan, progress) {
    await using ours = await startEcho(ground, "ours");
    await using original = await startEcho(ground, "original");
    const contestants = [
      { name: "ours", server: ours },
      { name: "original", server: original },
    ] as const;
    const comparisons: Comparison[] = [];
    for (const inFlight of inFlightLevels) {
      const load = { mode: "poll", inFlight } as const;
      comparisons.push(await compare("echo", ground.binFolder, load, plan, contestants, progress));
    }
    return { comparisons, figures: [] };
  },
};
