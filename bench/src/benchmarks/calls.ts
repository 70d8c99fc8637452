import { bothCores } from "../both-peers.ts";
import { compareOn, courses } from "../side-by-side.ts";
import { type Benchmark, compared } from "./benchmark.ts";

const inFlightLevels = [256];

/** Calls of a replay and of a start: checkpoints that exist, and new instances. */
export const calls: Benchmark = {
  name: "calls",
  about: "checkpoints of 256 B that exist, and registrations, on SQLite: our core and the original's",
  async run(ground, plan, progress) {
    const all = (["found", "register"] as const).flatMap((mode) => courses(`calls ${mode}`, { mode }, inFlightLevels));
    return compared(await compareOn(all, { ground, plan, progress }, bothCores(ground)));
  },
};
