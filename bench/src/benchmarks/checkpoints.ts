import { startCore } from "../peers.ts";
import { type Comparison, compare } from "../side-by-side.ts";
import type { Benchmark } from "./benchmark.ts";

const inFlightLevels = [1, 16, 64, 256];

/** New checkpoints of 256 bytes on SQLite, each acknowledged only when it is on disk; one instance per caller. */
export const checkpoints: Benchmark = {
  name: "checkpoints",
  about: "durable checkpoints of 256 B on SQLite: our core and the original's",
  async run(ground, plan, progress) {
    const comparisons: Comparison[] = [];
    for (const inFlight of inFlightLevels) {
      // Empty databases for each level, so that one level's rows don't slow the next.
      await using ours = await startCore(ground, "ours");
      await using original = await startCore(ground, "original");
      const contestants = [
        { name: "ours", server: ours },
        { name: "original", server: original },
      ] as const;
      const load = { mode: "checkpoint", inFlight } as const;
      comparisons.push(await compare("checkpoints", ground.binFolder, load, plan, contestants, progress));
    }
    return { comparisons, figures: [] };
  },
};
