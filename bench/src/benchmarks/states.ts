import { startCore, startEcho } from "../peers.ts";
import { compare } from "../side-by-side.ts";
import type { Benchmark } from "./benchmark.ts";

const inFlight = 64;
const stateBytes = 65_536;

/** Large states: what storing them takes beside carrying them. */
export const states: Benchmark = {
  name: "states",
  about: "new checkpoints of 64 KiB: our core on SQLite beside our server that throws them away",
  async run(ground, plan, progress) {
    await using core = await startCore(ground, "ours");
    await using echo = await startEcho(ground, "ours");
    const contestants = [
      { name: "core", server: core },
      { name: "nothing stored", server: echo },
    ] as const;
    const load = { mode: "checkpoint", inFlight, stateBytes, isForgotten: true } as const;
    return {
      comparisons: [await compare("states 64 KiB", ground.binFolder, load, plan, contestants, progress)],
      figures: [],
    };
  },
};
