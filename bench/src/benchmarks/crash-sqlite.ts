import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Strike, wage } from "../crash/campaign.ts";
import { diskShim } from "../crash/disk-shim.ts";
import { readSqlite } from "../crash/long-reader.ts";
import { reportFacts } from "../crash/report.ts";
import { Restartable } from "../crash/restartable.ts";
import { retain, retentionEnv } from "../crash/retention.ts";
import { faulty, filled, killed, makeBallast } from "../crash/strikes.ts";
import { mountTmpfs } from "../crash/tmpfs.ts";
import { type Ground, ourCore } from "../peers.ts";
import { seededRandom } from "../random.ts";
import type { Benchmark, Fact } from "./benchmark.ts";

const kills = 12;
const smallDiskBytes = 48 * 2 ** 20;
const ballastBytes = 24 * 2 ** 20;
const fullBelowBytes = 256 * 2 ** 10;

/** Our core on SQLite, killed and robbed of its disk under full load. */
export const crashSqlite: Benchmark = {
  name: "crash-sqlite",
  about:
    "our core on SQLite under full load: SIGKILL, slow and failing fsync, failing writes, full disk, retention and a long reader; what was acknowledged is read back",
  async run(ground, _plan, progress) {
    const random = seededRandom(progress);
    const shim = await diskShim(ground.dataFolder);
    const facts: Fact[] = [];
    await using core = await startCore(ground, "crash-sqlite", shim.env);
    const killing: Strike[] = Array.from({ length: kills }, () => killed(core, "core"));
    const failing = (["slow", "sync", "write", "full"] as const).map((fault) => faulty(shim, fault));
    const first = await wage({ address: core.address, strikes: killing }, "killed", random, progress);
    facts.push(...reportFacts("crash-sqlite", `${kills} × SIGKILL`, first, progress));
    const second = await wage({ address: core.address, strikes: failing }, "faulty", random, progress);
    facts.push(...reportFacts("crash-sqlite", "failing disk", second, progress));
    facts.push(...(await onSmallDisk(ground, random, progress)));
    await using removing = await startCore(ground, "crash-sqlite-retention", retentionEnv);
    const openReader = () => readSqlite(join(ground.dataFolder, "crash-sqlite-retention", "core.db"));
    facts.push(...(await retain("crash-sqlite", { core: removing, openReader }, random, progress)));
    return { comparisons: [], figures: [], facts };
  },
};

async function startCore(ground: Ground, name: string, env: Readonly<Record<string, string>>): Promise<Restartable> {
  const folder = join(ground.dataFolder, name);
  await mkdir(folder);
  return await Restartable.start((address) => {
    const command = ourCore(`sqlite:${join(folder, "core.db")}`, folder, address);
    return { ...command, env: { ...command.env, ...env } };
  });
}

async function onSmallDisk(
  ground: Ground,
  random: () => number,
  progress: (text: string) => void,
): Promise<readonly Fact[]> {
  const disk = await mountTmpfs(join(ground.dataFolder, "small-disk"), smallDiskBytes);
  if (disk === undefined) {
    progress("crash-sqlite: the full disk is not measured, because only root may mount a tmpfs");
    return [];
  }
  await using mounted = disk;
  const ballast = join(mounted.folder, "ballast");
  await makeBallast(ballast, ballastBytes);
  await using core = await Restartable.start((address) =>
    ourCore(`sqlite:${mounted.folder}/core.db`, ground.dataFolder, address),
  );
  const isFull = async (): Promise<boolean> => (await mounted.freeBytes()) < fullBelowBytes;
  const strikes = [filled(ballast, isFull)];
  const report = await wage({ address: core.address, strikes }, "full", random, progress);
  return reportFacts("crash-sqlite", "full file system", report, progress);
}
