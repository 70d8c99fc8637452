import { runCount } from "../load.ts";
import { type Core, type Ground, startCore } from "../peers.ts";
import { type Comparison, compare } from "../side-by-side.ts";
import type { Benchmark } from "./benchmark.ts";

const inFlightLevels = [1, 256];
const warmUpCheckpoints = 20_000;

/** Our core with a million checkpoints against our core with none. */
export const fullStore: Benchmark = {
  name: "full-store",
  about: "our core on a store that holds a million checkpoints, beside our core on an empty one",
  async run(ground, plan, progress) {
    await using full = await startCore(ground, "ours");
    const millions = plan.storedCheckpoints.toLocaleString("en-US");
    progress(`full-store: saving ${millions} checkpoints`);
    const filled = await runCount(
      ground.binFolder,
      full,
      { mode: "checkpoint", inFlight: 256 },
      plan.storedCheckpoints,
    );
    if (filled.errors > 0) throw new Error(`filling the store failed: ${JSON.stringify(filled.errorTexts)}`);
    const comparisons: Comparison[] = [];
    for (const inFlight of inFlightLevels) {
      const contestants = [
        { name: `${millions} stored`, server: full },
        { name: "empty", server: () => startWarm(ground) },
      ] as const;
      const load = { mode: "checkpoint", inFlight } as const;
      comparisons.push(await compare("full-store", ground.binFolder, load, plan, contestants, progress));
    }
    return { comparisons, figures: [] };
  },
};

/** A fresh core for each round, or the empty store would fill up too. It has served some calls, as the full one has. */
async function startWarm(ground: Ground): Promise<Core> {
  const core = await startCore(ground, "ours");
  await runCount(ground.binFolder, core, { mode: "checkpoint", inFlight: 64 }, warmUpCheckpoints);
  return core;
}
