import type { Server } from "../child.ts";
import { runCount } from "../load.ts";
import { type Ground, startCore } from "../peers.ts";
import type { Plan } from "../plan.ts";
import { emptyDatabase, startPostgres, walFlushes } from "../postgres.ts";
import { type CountsPage, countsPage } from "../store-counts.ts";
import type { Benchmark, Fact } from "./benchmark.ts";

const inFlightLevels = [1, 64, 256];
const warmUpCheckpoints = 1_000;

/** How much work the databases have with a checkpoint; not timed. */
export const statements: Benchmark = {
  name: "statements",
  about: "SQL statements and transactions per 1,000 durable checkpoints, and PostgreSQL's flushes of its log",
  async run(ground, plan, progress) {
    const facts: Fact[] = [];
    await using server = await startPostgres();
    for (const inFlight of inFlightLevels) {
      const sqlitePage = await countsPage();
      await using onSqlite = await startCore(ground, "ours", { env: sqlitePage.env });
      facts.push(...(await count(ground, plan, onSqlite, sqlitePage, inFlight, "SQLite")));

      const postgresPage = await countsPage();
      await using database = await emptyDatabase(ground, server);
      await using onPostgres = await database.startCore(postgresPage.env);
      const flushed = await walFlushes(database.url);
      facts.push(...(await count(ground, plan, onPostgres, postgresPage, inFlight, "PostgreSQL")));
      const flushes = (await walFlushes(database.url)) - flushed;
      const all = plan.tracedCheckpoints + warmUpCheckpoints;
      facts.push(fact("PostgreSQL", inFlight, "flushes of the log", (flushes * 1000) / all));
      progress(`statements, ${inFlight} in flight: counted`);
    }
    return { comparisons: [], figures: [], facts };
  },
};

async function count(
  ground: Ground,
  plan: Plan,
  core: Server,
  page: CountsPage,
  inFlight: number,
  engine: string,
): Promise<Fact[]> {
  const load = { mode: "checkpoint", inFlight } as const;
  await runCount(ground.binFolder, core, load, warmUpCheckpoints);
  const before = await page.read();
  await runCount(ground.binFolder, core, load, plan.tracedCheckpoints);
  const after = await page.read();
  const per = (total: number): number => (total * 1000) / plan.tracedCheckpoints;
  return [
    fact(engine, inFlight, "statements", per(after.statements - before.statements)),
    fact(engine, inFlight, "transactions", per(after.transactions - before.transactions)),
  ];
}

function fact(engine: string, inFlight: number, what: string, value: number): Fact {
  return { benchmark: "statements", name: `${engine}, ${inFlight} in flight: ${what}`, value, unit: "per 1,000" };
}
