import { diskShim } from "../crash/disk-shim.ts";
import { startCore } from "../peers.ts";
import { compareOn, courses } from "../side-by-side.ts";
import { type Benchmark, compared } from "./benchmark.ts";

const inFlightLevels = [256];
const syncDelayUs = 4_000;

/** Group commit at work: a disk that takes 4 ms for each fsync. */
export const slowDisk: Benchmark = {
  name: "slow-disk",
  about: "durable checkpoints of 256 B on SQLite where each fsync takes 4 ms longer, beside the disk as it is",
  async run(ground, plan, progress) {
    const { env } = await diskShim(ground.dataFolder, syncDelayUs);
    const all = courses("slow-disk", { mode: "checkpoint" }, inFlightLevels);
    return compared(
      await compareOn(all, { ground, plan, progress }, async (running) => [
        { name: "fsync + 4 ms", server: running.use(await startCore(ground, "ours", { env })) },
        { name: "this disk", server: running.use(await startCore(ground, "ours")) },
      ]),
    );
  },
};
