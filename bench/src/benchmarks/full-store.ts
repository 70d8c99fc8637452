import { join } from "node:path";
import { runProgram } from "../child.ts";
import { runCount } from "../load.ts";
import { type Core, type Ground, startCore } from "../peers.ts";
import { compareOn, courses } from "../side-by-side.ts";
import { type Benchmark, compared } from "./benchmark.ts";

const inFlightLevels = [1, 256];
const warmUpCheckpoints = 20_000;
const warmUp = { mode: "checkpoint", inFlight: 64 } as const;

const fillStore = join(import.meta.dirname, "..", "node", "fill-store.ts");

/** Our core on a store as after months against our core on an empty one. */
export const fullStore: Benchmark = {
  name: "full-store",
  about:
    "our core on a store that holds ten million checkpoints and a million instances, beside our core on an empty one",
  async run(ground, plan, progress) {
    const { storedInstances, storedCheckpoints } = plan;
    const millions = storedCheckpoints.toLocaleString("en-US");
    progress(`full-store: storing ${millions} checkpoints of ${storedInstances.toLocaleString("en-US")} instances`);
    const fill = async (database: string): Promise<void> => {
      const counts = [`${storedInstances}`, `${storedCheckpoints}`];
      await runProgram(process.execPath, ["--conditions=runtara-src", fillStore, `sqlite:${database}`, ...counts]);
    };
    await using full = await startCore(ground, "ours", { fill });
    await runCount(ground.binFolder, full, warmUp, warmUpCheckpoints);
    const all = courses("full-store", { mode: "checkpoint" }, inFlightLevels);
    return compared(
      await compareOn(all, { ground, plan, progress }, async () => [
        { name: `${millions} stored`, server: full },
        { name: "empty", server: () => startWarm(ground) },
      ]),
    );
  },
};

/** A fresh core for each round, or the empty store would fill up too. It has served some calls, as the full one has. */
async function startWarm(ground: Ground): Promise<Core> {
  const core = await startCore(ground, "ours");
  await runCount(ground.binFolder, core, warmUp, warmUpCheckpoints);
  return core;
}
