import { countFsyncs, straceInstalled } from "../fsync.ts";
import { runCount } from "../load.ts";
import { peers, startCore } from "../peers.ts";
import { perCheckpoint } from "../per-checkpoint.ts";
import type { Benchmark, Figure } from "./benchmark.ts";

const inFlightLevels = [1, 64];

/** How many checkpoints share one flush of the disk. Counted in runs of their own, because the tracer slows the server. */
export const fsync: Benchmark = {
  name: "fsync",
  about: "fsync calls per durable checkpoint, counted by strace in separate, untimed runs",
  async run(ground, plan, progress) {
    if (!straceInstalled()) {
      progress("fsync: not measured, because strace is not installed");
      return { comparisons: [], figures: [] };
    }
    const figures: Figure[] = [];
    for (const inFlight of inFlightLevels) {
      const counted: Record<string, number> = {};
      for (const peer of peers) {
        await using core = await startCore(ground, peer);
        const run = (checkpoints: number) =>
          runCount(ground.binFolder, core, { mode: "checkpoint", inFlight }, checkpoints);
        const { fsyncs } = await perCheckpoint(plan.tracedCheckpoints, async (checkpoints) => {
          return { fsyncs: await countFsyncs([core.pid], () => run(checkpoints)) };
        });
        counted[peer] = fsyncs;
        progress(`fsync, ${inFlight} in flight, ${peer}: ${fsyncs.toFixed(3)} per checkpoint`);
      }
      const name = `per checkpoint, ${inFlight} in flight`;
      const unit = "fsyncs";
      figures.push({ benchmark: "fsync", name, ours: counted.ours ?? 0, original: counted.original ?? 0, unit });
    }
    return { comparisons: [], figures };
  },
};
