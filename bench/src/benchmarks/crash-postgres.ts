import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Strike, wage } from "../crash/campaign.ts";
import { panicked, panickedOnce, restarted } from "../crash/database-strikes.ts";
import { diskShim } from "../crash/disk-shim.ts";
import { readPostgres } from "../crash/long-reader.ts";
import { reportFacts } from "../crash/report.ts";
import { Restartable } from "../crash/restartable.ts";
import { retain, retentionEnv } from "../crash/retention.ts";
import { faulty, killed } from "../crash/strikes.ts";
import { ourCore } from "../peers.ts";
import { emptyDatabase, startPostgres } from "../postgres.ts";
import { seededRandom } from "../random.ts";
import type { Benchmark, Fact } from "./benchmark.ts";

const kills = 12;
const restarts = 5;

/** Our core on PostgreSQL: the core killed, the database restarted without warning, its disk failing. */
export const crashPostgres: Benchmark = {
  name: "crash-postgres",
  about:
    "our core on PostgreSQL under full load: SIGKILL, restarts of the database (immediate), a slow and failing disk; retention and a long reader",
  async run(ground, _plan, progress) {
    const random = seededRandom(progress);
    const shim = await diskShim(ground.dataFolder);
    await using server = await startPostgres(shim.env);
    await using database = await emptyDatabase(ground, server);
    const folder = join(ground.dataFolder, "crash-postgres");
    await mkdir(folder);
    await using core = await Restartable.start((address) => ourCore(database.url, folder, address));
    const failing: readonly Strike[] = [
      faulty(shim, "slow"),
      panickedOnce(shim, server),
      ...(["sync", "write", "full"] as const).map((fault) => panicked(shim, fault, server)),
    ];
    const campaigns: readonly (readonly [name: string, strikes: readonly Strike[]])[] = [
      [`${kills} × SIGKILL`, Array.from({ length: kills }, () => killed(core, "core"))],
      [`${restarts} × restart of PostgreSQL`, Array.from({ length: restarts }, () => restarted(server))],
      ["failing disk", failing],
    ];
    const facts: Fact[] = [];
    for (const [index, [name, strikes]] of campaigns.entries()) {
      const report = await wage({ address: core.address, strikes }, `campaign-${index}`, random, progress);
      facts.push(...reportFacts("crash-postgres", name, report, progress));
    }
    await using own = await emptyDatabase(ground, server);
    await using removing = await Restartable.start((address) => {
      const command = ourCore(own.url, folder, address);
      return { ...command, env: { ...command.env, ...retentionEnv } };
    });
    const retention = { core: removing, openReader: () => readPostgres(own.url) };
    facts.push(...(await retain("crash-postgres", retention, random, progress)));
    return { comparisons: [], figures: [], facts };
  },
};
