import { setTimeout as wait } from "node:timers/promises";
import { measure } from "../load.ts";
import { peers, startCore } from "../peers.ts";
import { residentBytes } from "../process-stats.ts";
import type { Benchmark, Figure } from "./benchmark.ts";

const settleMs = 3000;
const mebibyte = 2 ** 20;

/** Resident memory of a core that has just started, and of one that has been busy and is at rest again. */
export const memory: Benchmark = {
  name: "memory",
  about: "resident memory of a core at rest, before and after load",
  async run(ground, plan, progress) {
    const atRest: Record<string, number> = {};
    const afterLoad: Record<string, number> = {};
    for (const peer of peers) {
      await using core = await startCore(ground, peer);
      await wait(settleMs);
      atRest[peer] = residentBytes(core.pid) / mebibyte;
      await measure(ground.binFolder, core, { mode: "checkpoint", inFlight: 64 }, plan);
      await wait(settleMs);
      afterLoad[peer] = residentBytes(core.pid) / mebibyte;
      progress(`memory, ${peer}: ${atRest[peer].toFixed(1)} MiB at rest, ${afterLoad[peer].toFixed(1)} MiB after load`);
    }
    const figure = (name: string, of: Record<string, number>): Figure => {
      return { benchmark: "memory", name, ours: of.ours ?? 0, original: of.original ?? 0, unit: "MiB" };
    };
    return { comparisons: [], figures: [figure("core at rest", atRest), figure("core after load", afterLoad)] };
  },
};
