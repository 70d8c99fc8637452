import type { Mode } from "../load.ts";
import { startCore } from "../peers.ts";
import { type Comparison, compare } from "../side-by-side.ts";
import type { Benchmark } from "./benchmark.ts";

const modes: readonly Mode[] = ["found", "register"];
const inFlight = 256;

/** Calls of a replay and of a start: checkpoints that exist, and new instances. */
export const calls: Benchmark = {
  name: "calls",
  about: "checkpoints of 256 B that exist, and registrations, on SQLite: our core and the original's",
  async run(ground, plan, progress) {
    const comparisons: Comparison[] = [];
    for (const mode of modes) {
      await using ours = await startCore(ground, "ours");
      await using original = await startCore(ground, "original");
      const contestants = [
        { name: "ours", server: ours },
        { name: "original", server: original },
      ] as const;
      const load = { mode, inFlight } as const;
      comparisons.push(await compare(`calls ${mode}`, ground.binFolder, load, plan, contestants, progress));
    }
    return { comparisons, figures: [] };
  },
};
