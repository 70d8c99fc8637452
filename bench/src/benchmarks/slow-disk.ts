import { diskShim } from "../crash/disk-shim.ts";
import { startCore } from "../peers.ts";
import { compare } from "../side-by-side.ts";
import type { Benchmark } from "./benchmark.ts";

const inFlight = 256;
const syncDelayUs = 4_000;

/** Group commit at work: a disk that takes 4 ms for each fsync. */
export const slowDisk: Benchmark = {
  name: "slow-disk",
  about: "durable checkpoints of 256 B on SQLite where each fsync takes 4 ms longer, beside the disk as it is",
  async run(ground, plan, progress) {
    const shim = await diskShim(ground.dataFolder, syncDelayUs);
    await using slow = await startCore(ground, "ours", { env: shim.env });
    await using fast = await startCore(ground, "ours");
    const contestants = [
      { name: "fsync + 4 ms", server: slow },
      { name: "this disk", server: fast },
    ] as const;
    const load = { mode: "checkpoint", inFlight } as const;
    return {
      comparisons: [await compare("slow-disk", ground.binFolder, load, plan, contestants, progress)],
      figures: [],
    };
  },
};
