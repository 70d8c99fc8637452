import { setTimeout as wait } from "node:timers/promises";
import type { Server } from "../child.ts";
import { runCount } from "../load.ts";
import { startCore } from "../peers.ts";
import { perCheckpoint } from "../per-checkpoint.ts";
import { emptyDatabase, startPostgres, walFlushes } from "../postgres.ts";
import { countsPage } from "../store-counts.ts";
import type { Benchmark, Fact } from "./benchmark.ts";

const inFlightLevels = [1, 64, 256];

/** PostgreSQL's processes report their flushes with a transaction, at most once in this time: so some more follow each run, always as many. */
const reportEveryMs = 1_100;
const reported = { mode: "checkpoint", inFlight: 64 } as const;
const reportedCheckpoints = 256;

/** How much work the databases have with a checkpoint; not timed. SQLite's flushes are the benchmark `fsync`. */
export const statements: Benchmark = {
  name: "statements",
  about: "SQL statements and transactions per 1,000 durable checkpoints, and PostgreSQL's flushes of its log",
  async run(ground, plan, progress) {
    const facts: Fact[] = [];
    await using server = await startPostgres();
    for (const inFlight of inFlightLevels) {
      const run = (core: Server, checkpoints: number) =>
        runCount(ground.binFolder, core, { mode: "checkpoint", inFlight }, checkpoints);
      const add = (engine: string, costs: Readonly<Record<string, number>>): void => {
        for (const [what, cost] of Object.entries(costs))
          facts.push(fact(`${engine}, ${inFlight} in flight: ${what}`, cost));
        progress(`statements, ${inFlight} in flight, ${engine}: counted`);
      };

      const sqlitePage = await countsPage();
      await using onSqlite = await startCore(ground, "ours", { env: sqlitePage.env });
      const onSqliteRun = (checkpoints: number) => counted(sqlitePage.read, () => run(onSqlite, checkpoints));
      add("SQLite", await perCheckpoint(plan.countedCheckpoints, onSqliteRun));

      const postgresPage = await countsPage();
      await using database = await emptyDatabase(ground, server);
      await using onPostgres = await database.startCore(postgresPage.env);
      const read = async () => ({
        ...(await postgresPage.read()),
        "flushes of the log": await walFlushes(database.url),
      });
      const onPostgresRun = (checkpoints: number) =>
        counted(read, async () => {
          await run(onPostgres, checkpoints);
          await wait(reportEveryMs);
          await runCount(ground.binFolder, onPostgres, reported, reportedCheckpoints);
        });
      add("PostgreSQL", await perCheckpoint(plan.countedCheckpoints, onPostgresRun));
    }
    return { comparisons: [], figures: [], facts };
  },
};

/** How far counters went on while `run` was under way. */
async function counted(
  read: () => Promise<Readonly<Record<string, number>>>,
  run: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const before = await read();
  await run();
  const after = await read();
  return Object.fromEntries(Object.entries(after).map(([name, total]) => [name, total - (before[name] ?? 0)]));
}

function fact(name: string, perCheckpoint: number): Fact {
  return { benchmark: "statements", name, value: perCheckpoint * 1000, unit: "per 1,000" };
}
