import { setTimeout as wait } from "node:timers/promises";
import type { Fact } from "../benchmarks/benchmark.ts";
import { type CampaignReport, lanes, type Strike, wage } from "./campaign.ts";
import { EndingLoad } from "./ending-load.ts";
import type { LongReader } from "./long-reader.ts";
import { reportFacts } from "./report.ts";
import type { Restartable } from "./restartable.ts";
import { killed } from "./strikes.ts";

const age = "1s";
/** For a core that removes what has ended as soon as it may. */
export const retentionEnv: Readonly<Record<string, string>> = {
  RUNTARA_RETENTION_INSTANCES: age,
  RUNTARA_RETENTION_EVENTS: age,
  RUNTARA_RETENTION_CHECKPOINTS: age,
};

/** A core begins to remove a minute after its start. The load begins before, but not so early that reading all of it back takes minutes. */
const idleMs = 48_000;
const removalDeadlineMs = 60_000;
const lookEveryMs = 250;
/** How long the reader goes on after the removal has begun. */
const readOnMs = 3_000;
const [running, ending] = ["kept", "ended"];

/** A core with short ages that has just been started, and how to look into its database. */
export interface RetentionGround {
  readonly core: Restartable;
  openReader(): Promise<LongReader>;
}

/**
 * Instances run under full load while others end beside them and are removed, and somebody reads for seconds; then the core is killed in the
 * midst of it. Throws if nothing is removed.
 */
export async function retain(
  benchmark: string,
  { core, openReader }: RetentionGround,
  random: () => number,
  progress: (text: string) => void,
): Promise<Fact[]> {
  progress(`${benchmark}: waiting for the first round of retention, a minute after the core's start`);
  await wait(idleMs);
  const load = new EndingLoad(core.address, ending);
  const removed = async (): Promise<number> => {
    await using reader = await openReader();
    return Math.max(0, load.ended - (await reader.count(ending, "completed")));
  };
  const strikes = [readThroughRemoval(openReader, removed), killed(core, "core that removes")];
  load.start();
  let report: CampaignReport;
  try {
    report = await wage({ address: core.address, strikes }, running, random, progress);
  } finally {
    await load.stop();
  }
  const name = "retention and a long reader";
  const fact = (what: string, value: number): Fact => ({
    benchmark,
    name: `${name}: ${what}`,
    value,
    unit: "instances",
  });
  await using reader = await openReader();
  return [
    ...reportFacts(benchmark, name, report, progress),
    fact("ended and removed", await removed()),
    fact("running and lost", lanes - (await reader.count(running, "running"))),
  ];
}

/** A transaction that is open from before the removal until some seconds into it, and sees nothing of it. */
function readThroughRemoval(openReader: () => Promise<LongReader>, removed: () => Promise<number>): Strike {
  return {
    name: "long reader",
    async strike() {
      await using reader = await openReader();
      const before = await reader.count(ending, "completed");
      const deadline = performance.now() + removalDeadlineMs;
      while ((await removed()) === 0) {
        if (performance.now() > deadline) throw new Error(`retention removed nothing within ${removalDeadlineMs} ms`);
        await wait(lookEveryMs);
      }
      await wait(readOnMs);
      const after = await reader.count(ending, "completed");
      if (after !== before) throw new Error(`one transaction saw ${before} ended instances, and later ${after}`);
    },
  };
}
